SET NOCOUNT ON;
SET XACT_ABORT ON;
DECLARE @turn int;
EXEC @turn = sys.sp_getapplock @Resource = N'pipekit:run:0a1b2c3d-42', @LockMode = N'Exclusive',
  @LockOwner = N'Transaction', @LockTimeout = 60000;
IF @turn < 0 THROW 51222, N'No turn at the ledger within 60 s: another run of Pipekit holds it.', 1;
SET NOCOUNT OFF;
INSERT INTO [pipekit_staging].[pipekit_ledger] ([run_key], [run_id], [module], [fence], [rows], [state])
SELECT N'0a1b2c3d-42', 42, N'it''s orders', 7, NULL, 'fenced'
WHERE NOT EXISTS (SELECT 1 FROM [pipekit_staging].[pipekit_ledger] WHERE [run_key] = N'0a1b2c3d-42')
