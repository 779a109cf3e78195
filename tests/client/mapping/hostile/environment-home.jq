# Another one.
# expect: OK []
$ENV | keys
