# A number beyond all numbers becomes the largest.
# expect: OK 1.7976931348623157e+308
1e1000
