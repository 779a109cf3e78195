# An index far beyond the end.
# expect: MAPPING_MEMORY MAPPING_CRASHED MAPPING_FAILED
[] | .[1000000000] = 1
