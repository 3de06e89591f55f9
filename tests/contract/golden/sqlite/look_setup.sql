SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'pipekit_staging.pipekit_ledger'
