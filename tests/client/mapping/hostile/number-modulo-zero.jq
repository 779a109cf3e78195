# A remainder of nothing.
# expect: MAPPING_FAILED
5 % 0
