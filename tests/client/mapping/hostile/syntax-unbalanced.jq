# A program that tries to close what stands before it.
# expect: MAPPING_INVALID
1) | (2
