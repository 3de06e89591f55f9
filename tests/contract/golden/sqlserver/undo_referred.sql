(keeps nothing)
