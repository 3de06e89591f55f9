{pipekit tables ["pipekit_staging"]}
