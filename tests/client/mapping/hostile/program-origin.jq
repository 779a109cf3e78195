# Where the program lies.
# expect: MAPPING_FORBIDDEN MAPPING_INVALID
get_prog_origin
