SELECT SCHEMA_ID(N'pipekit_staging'), OBJECT_ID(N'[pipekit_staging].[pipekit_ledger]', N'U')
