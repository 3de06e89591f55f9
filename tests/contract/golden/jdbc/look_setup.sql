{pipekit tables ["pipekit_staging", "pipekit_ledger"]}
