# The same with the input.
# expect: MAPPING_FAILED
null | error
