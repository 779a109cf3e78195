# An object with ever more keys.
# expect: MAPPING_MEMORY MAPPING_TIME
reduce range(1000000000) as $i ({}; .["k\($i)"] = $i)
