# Code points that are texts.
# expect: MAPPING_CRASHED MAPPING_FAILED
["a"] | implode
