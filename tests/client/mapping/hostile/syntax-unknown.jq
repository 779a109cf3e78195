# A function that is not there.
# expect: MAPPING_INVALID
system("id")
