{pipekit database []}
