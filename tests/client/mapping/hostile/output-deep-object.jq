# Objects nested deeper than jq prints.
# expect: MAPPING_OUTPUT_INVALID MAPPING_CRASHED
reduce range(1000) as $i (0; {"a": .})
