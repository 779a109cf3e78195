# A path through a text.
# expect: MAPPING_FAILED
# input: {"a": "secret-of-the-input"}
getpath(["a", "b"])
