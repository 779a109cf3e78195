# A text that doubles.
# expect: MAPPING_MEMORY MAPPING_TIME
reduce range(60) as $i ("x"; . + .)
