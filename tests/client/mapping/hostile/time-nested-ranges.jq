# Loops in loops.
# expect: MAPPING_TIME
last(range(1e5) | range(1e5) | range(1e5))
