# A long text as code points.
# expect: MAPPING_MEMORY MAPPING_TIME
("x" * 30000000) | explode
