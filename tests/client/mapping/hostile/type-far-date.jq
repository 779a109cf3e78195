# A date that no calendar has, at which jq 1.6 aborts.
# expect: MAPPING_CRASHED MAPPING_FAILED
1e300 | todate
