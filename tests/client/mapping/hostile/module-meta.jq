# modulemeta reads a file.
# expect: MAPPING_FORBIDDEN
"/etc/passwd" | modulemeta
