# import of a file as data.
# expect: MAPPING_INVALID
import "/etc/passwd" as $x; $x
