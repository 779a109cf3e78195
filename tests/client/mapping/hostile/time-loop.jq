# A function that calls itself for ever.
# expect: MAPPING_TIME
def f: f; f
