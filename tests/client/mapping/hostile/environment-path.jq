# A variable that every process has.
# expect: OK null
$ENV.PATH
