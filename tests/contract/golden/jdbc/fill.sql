(not without staging)
