# splits by a number.
# expect: MAPPING_FAILED
# input: "a"
[splits(1)]
