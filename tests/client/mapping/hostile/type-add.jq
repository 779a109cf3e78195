# An object and an array.
# expect: MAPPING_FAILED
# input: {"a": "secret-of-the-input"}
. + []
