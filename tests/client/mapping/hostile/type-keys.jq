# The keys of a text.
# expect: MAPPING_FAILED
# input: "secret-of-the-input"
keys
