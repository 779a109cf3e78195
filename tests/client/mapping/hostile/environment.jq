# env.
# expect: MAPPING_FORBIDDEN
env
