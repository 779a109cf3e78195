# import of code.
# expect: MAPPING_INVALID
import "a" as a; a::f
