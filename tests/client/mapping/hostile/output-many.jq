# Very many outputs.
# expect: MAPPING_OUTPUT_TOO_LARGE
range(1000000000)
