(keeps it)
