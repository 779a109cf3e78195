# One large output.
# expect: MAPPING_OUTPUT_TOO_LARGE
"x" * 6000000
