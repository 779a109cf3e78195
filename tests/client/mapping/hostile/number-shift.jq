# A text repeated a negative number of times.
# expect: OK null
"x" * -1
