# The name of the input.
# expect: MAPPING_FORBIDDEN
input_filename
