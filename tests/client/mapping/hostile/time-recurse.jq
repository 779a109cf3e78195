# recurse into itself.
# expect: MAPPING_TIME
last(recurse(.))
