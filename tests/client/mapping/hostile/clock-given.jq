# Times without a clock are harmless.
# expect: OK "1970-01-01T00:00:00Z"
0 | todate
