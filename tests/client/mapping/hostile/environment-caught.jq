# env, and its refusal caught: nothing is gained.
# expect: OK "a mapping has no env"
try env catch .
