# A key of a number.
# expect: MAPPING_FAILED
# input: {"a": 7}
.a.b
