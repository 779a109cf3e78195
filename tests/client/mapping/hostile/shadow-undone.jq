# The builtin behind a shadow is not reached by defining it again.
# expect: MAPPING_FORBIDDEN
def f: env; def env: f; env
