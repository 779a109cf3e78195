# An error of nothing, which jq 1.6 takes for an end.
# expect: MAPPING_FAILED
error(null)
