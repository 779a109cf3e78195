# The first of all inputs.
# expect: MAPPING_FORBIDDEN
first(inputs)
