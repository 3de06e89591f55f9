SELECT COUNT_BIG(*), MIN(CONCAT(N'id = ', COALESCE(CAST(s.[id] AS nvarchar(200)), N'NULL'), N', ', N'odd "name" = ', COALESCE(CAST(s.[odd "name"] AS nvarchar(200)), N'NULL')))
FROM [pipekit_staging].[load.orders] AS s
WHERE s.[id] IS NULL OR s.[odd "name"] IS NULL
