# reduce over endless input.
# expect: MAPPING_TIME
reduce repeat(1) as $x (0; . + $x)
