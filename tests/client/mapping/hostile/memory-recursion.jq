# A function that calls itself inside an array.
# expect: MAPPING_MEMORY MAPPING_TIME MAPPING_CRASHED
def f: [f]; f
