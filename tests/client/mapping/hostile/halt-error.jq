# An end with a message.
# expect: MAPPING_FORBIDDEN
"x" | halt_error
