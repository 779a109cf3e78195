# ltrimstr of what is no text leaves it.
# expect: OK 5
# input: 5
ltrimstr(1)
