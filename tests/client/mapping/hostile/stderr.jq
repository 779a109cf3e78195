# The input on standard error.
# expect: MAPPING_FORBIDDEN
stderr
