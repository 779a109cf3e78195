# A code point beyond Unicode, at which an unpatched jq 1.6 aborts.
# expect: MAPPING_CRASHED MAPPING_FAILED OK
[1114112] | implode
