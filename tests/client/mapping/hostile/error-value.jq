# An error that repeats a value.
# expect: MAPPING_FAILED
# input: "secret-of-the-input"
error("it was " + .)
