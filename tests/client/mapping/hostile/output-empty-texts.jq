# Many outputs of almost nothing.
# expect: MAPPING_OUTPUT_TOO_LARGE
range(1000000000) | ""
