# Where the program stands: nothing but its own line.
# expect: OK {"file":"<top-level>","line":3}
$__loc__
