SELECT [state] FROM [pipekit_staging].[pipekit_ledger] WHERE [run_key] = N'0a1b2c3d-42'
