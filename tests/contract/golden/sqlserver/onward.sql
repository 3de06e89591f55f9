(stages all)
