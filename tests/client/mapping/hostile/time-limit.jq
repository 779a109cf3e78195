# A limit that limits nothing.
# expect: MAPPING_TIME
last(limit(1e15; repeat(1)))
