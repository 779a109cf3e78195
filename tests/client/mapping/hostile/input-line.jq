# Where the input stands.
# expect: MAPPING_FORBIDDEN
input_line_number
