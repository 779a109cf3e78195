# An array that never ends.
# expect: MAPPING_MEMORY MAPPING_TIME
[range(1000000000000)]
