# A program that begins in the middle.
# expect: MAPPING_INVALID
| .
