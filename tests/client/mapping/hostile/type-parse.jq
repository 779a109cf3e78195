# JSON in a text, nested without end.
# expect: MAPPING_FAILED
"[" * 100000 | fromjson
