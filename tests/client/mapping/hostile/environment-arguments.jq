# The arguments of a jq program.
# expect: MAPPING_INVALID
$__prog_args
