# import after a definition.
# expect: MAPPING_INVALID
def f: 1; import "/etc/passwd" as $x; f
