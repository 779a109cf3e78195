# The same in words.
# expect: MAPPING_FORBIDDEN
0 | strflocaltime("%Z")
