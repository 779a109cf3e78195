# include from the home folder.
# expect: MAPPING_INVALID
include "~/.jq"; .
