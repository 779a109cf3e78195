# A number from a text that is none.
# expect: MAPPING_FAILED
# input: "secret-of-the-input"
tonumber
