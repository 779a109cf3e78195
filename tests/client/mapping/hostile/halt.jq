# An end.
# expect: MAPPING_FORBIDDEN
halt
