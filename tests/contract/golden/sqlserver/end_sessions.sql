SET NOCOUNT ON;
DECLARE @id int, @kill nvarchar(40);
DECLARE ended CURSOR LOCAL STATIC FORWARD_ONLY FOR
  SELECT s.session_id FROM sys.dm_exec_sessions AS s
  WHERE s.program_name = N'pipekit:it''s 42' AND s.original_login_name = ORIGINAL_LOGIN()
    AND s.session_id <> @@SPID;
OPEN ended;
FETCH NEXT FROM ended INTO @id;
WHILE @@FETCH_STATUS = 0
BEGIN
  BEGIN TRY
    SET @kill = N'KILL ' + CAST(@id AS nvarchar(11));
    EXEC (@kill);
  END TRY
  BEGIN CATCH
    SET @kill = N'';
  END CATCH;
  FETCH NEXT FROM ended INTO @id;
END;
CLOSE ended;
DEALLOCATE ended;
SELECT COUNT(*) FROM sys.dm_exec_sessions AS s
WHERE s.program_name = N'pipekit:it''s 42' AND s.original_login_name = ORIGINAL_LOGIN()
    AND s.session_id <> @@SPID;
SET NOCOUNT OFF
