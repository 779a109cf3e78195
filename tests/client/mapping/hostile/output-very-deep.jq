# An output nested as deep as memory allows.
# expect: MAPPING_OUTPUT_INVALID MAPPING_CRASHED MAPPING_MEMORY MAPPING_OUTPUT_TOO_LARGE
reduce range(100000) as $i (0; [.])
