(counts them)
