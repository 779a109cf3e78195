# An end with a code.
# expect: MAPPING_FORBIDDEN
"x" | halt_error(5)
