# The entries of null.
# expect: MAPPING_FAILED
# input: null
.[]
