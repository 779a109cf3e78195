# import with a search path.
# expect: MAPPING_INVALID
import "passwd" as $x {"search": "/etc"}; $x
