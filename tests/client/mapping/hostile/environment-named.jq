# Named arguments that nobody gave.
# expect: OK {}
$args
