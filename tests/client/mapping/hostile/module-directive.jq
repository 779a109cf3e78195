# A mapping that says it is a module.
# expect: MAPPING_INVALID
module {"name": "x"}; .
