# while without an end.
# expect: MAPPING_TIME
last(1 | while(true; .))
