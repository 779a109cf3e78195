# A regular expression that backtracks.
# expect: MAPPING_TIME MAPPING_FAILED
("a" * 40 + "!") | test("^(([a-z])+.)+[A-Z]([a-z])+$")
