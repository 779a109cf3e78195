# What is no number becomes null.
# expect: OK null
nan
