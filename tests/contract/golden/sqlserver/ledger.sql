SET NOCOUNT ON;
SET XACT_ABORT ON;
DECLARE @turn int;
EXEC @turn = sys.sp_getapplock @Resource = N'pipekit:run:0a1b2c3d-42', @LockMode = N'Exclusive',
  @LockOwner = N'Transaction', @LockTimeout = 60000;
IF @turn >= 0 EXEC @turn = sys.sp_getapplock @Resource = N'pipekit:module:it''s orders', @LockMode = N'Exclusive',
  @LockOwner = N'Transaction', @LockTimeout = 60000;
IF @turn < 0 THROW 51222, N'No turn at the ledger within 60 s: another run of Pipekit holds it.', 1;
SET NOCOUNT OFF;
-- ledger
INSERT INTO [pipekit_staging].[pipekit_ledger] ([run_key], [run_id], [module], [fence], [rows], [state])
SELECT N'0a1b2c3d-42', 42, N'it''s orders', 7, 1000, 'merged'
WHERE NOT EXISTS (SELECT 1 FROM [pipekit_staging].[pipekit_ledger] WHERE [run_key] = N'0a1b2c3d-42')
  AND NOT EXISTS (SELECT 1 FROM [pipekit_staging].[pipekit_ledger] WHERE [module] = N'it''s orders' AND [fence] > 7);
