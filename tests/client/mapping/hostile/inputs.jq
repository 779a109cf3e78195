# All inputs.
# expect: MAPPING_FORBIDDEN
[inputs]
