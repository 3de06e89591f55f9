SELECT s.name
FROM sys.schemas AS s
WHERE s.schema_id < 16384 AND s.name NOT IN (N'sys', N'INFORMATION_SCHEMA', N'guest', N'pipekit_staging')
ORDER BY s.name
