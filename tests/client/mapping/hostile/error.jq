# An error with the input.
# expect: MAPPING_FAILED
# input: "secret-of-the-input"
error
