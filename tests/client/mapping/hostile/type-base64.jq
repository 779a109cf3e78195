# Not base64.
# expect: MAPPING_FAILED OK
# input: "\u00ff!!"
@base64d
