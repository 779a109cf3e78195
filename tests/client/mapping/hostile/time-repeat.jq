# repeat without an end.
# expect: MAPPING_TIME
last(repeat(1))
