# A library.
# expect: MAPPING_INVALID
def f: 1;
