# An object for the shell.
# expect: MAPPING_FAILED
# input: {"a": 1}
@sh
