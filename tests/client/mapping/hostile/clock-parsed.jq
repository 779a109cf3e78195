# So are those that are read.
# expect: OK 0
"1970-01-01T00:00:00Z" | fromdate
