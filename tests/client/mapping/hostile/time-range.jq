# A range longer than a life.
# expect: MAPPING_TIME
last(range(1e18))
