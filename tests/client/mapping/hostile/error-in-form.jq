# A value dressed as an error of jq.
# expect: MAPPING_FAILED
# input: "Cannot index string with \"secret-of-the-input\""
error(.)
