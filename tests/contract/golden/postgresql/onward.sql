(stages all rows)
