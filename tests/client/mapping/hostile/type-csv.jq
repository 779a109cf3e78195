# An object in a table.
# expect: MAPPING_FAILED
# input: [{"a": 1}]
@csv
