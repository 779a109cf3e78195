# An index before the beginning.
# expect: MAPPING_FAILED
# input: []
setpath([-5]; 1)
