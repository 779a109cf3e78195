# $ENV is there and empty.
# expect: OK {}
$ENV
