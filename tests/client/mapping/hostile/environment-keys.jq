# The names of the environment.
# expect: MAPPING_FORBIDDEN
env | keys
