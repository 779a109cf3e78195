# until without an end.
# expect: MAPPING_TIME
until(false; .)
