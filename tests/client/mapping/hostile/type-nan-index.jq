# An index that is no number.
# expect: MAPPING_CRASHED MAPPING_FAILED OK
[1] | .[nan] = 9
