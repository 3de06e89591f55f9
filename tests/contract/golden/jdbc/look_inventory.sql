{pipekit columns ["it's", null]}
