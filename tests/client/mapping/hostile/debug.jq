# A message on standard error.
# expect: MAPPING_FORBIDDEN
debug
