(asks nothing)
