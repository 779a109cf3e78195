# A regular expression that is none.
# expect: MAPPING_FAILED
# input: "a"
test("(")
