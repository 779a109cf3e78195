# The time.
# expect: MAPPING_FORBIDDEN
now
