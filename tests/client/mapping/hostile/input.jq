# A second input.
# expect: MAPPING_FORBIDDEN
input
