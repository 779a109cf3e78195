# A break to nowhere.
# expect: MAPPING_INVALID
break $out
