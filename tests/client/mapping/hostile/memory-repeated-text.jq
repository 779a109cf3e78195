# A text repeated two billion times.
# expect: MAPPING_MEMORY MAPPING_TIME
"x" * 2000000000
