# An output nested deeper than allowed.
# expect: MAPPING_OUTPUT_INVALID
reduce range(100) as $i (0; [.])
