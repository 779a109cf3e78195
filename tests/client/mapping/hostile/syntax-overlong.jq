# A slash in disguise.
# expect: MAPPING_INVALID
"À¯"
