# The same from the input.
# expect: OK 1.7976931348623157e+308
# input: 1e1000
.
