# delpaths with paths that do not fit.
# expect: MAPPING_FAILED OK
# input: [1, 2]
delpaths([["a"], [0]])
