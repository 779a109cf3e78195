# The folders in which jq looks.
# expect: MAPPING_FORBIDDEN
get_search_list
