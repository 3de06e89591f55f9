SELECT COUNT_BIG(*), MIN(CONCAT(N'id = ', COALESCE(CAST(r.[id] AS nvarchar(200)), N'NULL')))
FROM (
  SELECT CAST(s.[id] AS bigint) AS [id]
  FROM [pipekit_staging].[load.orders] AS s
  GROUP BY CAST(s.[id] AS bigint)
  HAVING COUNT_BIG(*) > 1
) AS r
