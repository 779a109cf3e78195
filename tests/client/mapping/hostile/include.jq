# include of a file.
# expect: MAPPING_INVALID
include "/etc/passwd"; .
