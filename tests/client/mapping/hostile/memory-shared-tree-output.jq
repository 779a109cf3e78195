# The same, as the output.
# expect: MAPPING_MEMORY MAPPING_TIME
reduce range(40) as $i ([0]; [., .])
