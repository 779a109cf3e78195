# A tree whose halves are one: small in memory, endless as a text.
# expect: MAPPING_MEMORY MAPPING_TIME
reduce range(40) as $i ([0]; [., .]) | @json
