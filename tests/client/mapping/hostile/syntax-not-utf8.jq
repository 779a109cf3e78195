# Bytes that are no text.
# expect: MAPPING_INVALID
"ÿþ"
