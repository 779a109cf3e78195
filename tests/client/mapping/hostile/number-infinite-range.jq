# A range to infinity.
# expect: MAPPING_OUTPUT_TOO_LARGE
range(infinite)
