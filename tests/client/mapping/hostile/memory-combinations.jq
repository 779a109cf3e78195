# All combinations at once.
# expect: MAPPING_MEMORY MAPPING_TIME
[[range(10)] | combinations(12)]
