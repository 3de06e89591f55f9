SELECT COUNT_BIG(*), MIN(CONCAT(N'id = ', COALESCE(CAST(r.[id] AS nvarchar(200)), N'NULL'), N', ', N'line = ', COALESCE(CAST(r.[line] AS nvarchar(200)), N'NULL')))
FROM (
  SELECT s.[id] AS [id], s.[line] AS [line]
  FROM [pipekit_staging].[load.orders] AS s
  GROUP BY s.[id], s.[line]
  HAVING COUNT_BIG(*) > 1
) AS r
