# An error that is no text.
# expect: MAPPING_FAILED
# input: "secret-of-the-input"
error({"a": .})
