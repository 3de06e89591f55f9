{pipekit schemas []}
