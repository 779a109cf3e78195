# Nothing but remarks.
# expect: MAPPING_INVALID
# nothing
