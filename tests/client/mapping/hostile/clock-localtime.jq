# The zone of the machine.
# expect: MAPPING_FORBIDDEN
0 | localtime
