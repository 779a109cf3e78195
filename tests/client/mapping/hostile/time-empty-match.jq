# A substitution of nothing, which jq 1.6 repeats for ever.
# expect: MAPPING_TIME MAPPING_MEMORY MAPPING_FAILED
"abc" | gsub("";"x")
