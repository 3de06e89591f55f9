(cannot tell)
