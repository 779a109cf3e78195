# No program at all.
# expect: MAPPING_INVALID
}{
