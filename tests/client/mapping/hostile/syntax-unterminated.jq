# A text without an end.
# expect: MAPPING_INVALID
"abc
