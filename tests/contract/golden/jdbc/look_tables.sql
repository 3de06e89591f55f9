{pipekit tables ["it's"]}
