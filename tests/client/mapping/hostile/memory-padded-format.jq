# A format that asks for a very wide field.
# expect: MAPPING_FAILED MAPPING_MEMORY
0 | strftime("%2000000000d" * 400)
