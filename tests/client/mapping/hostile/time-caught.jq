# A loop that catches its own errors.
# expect: MAPPING_TIME
def f: try error("again") catch f; f
