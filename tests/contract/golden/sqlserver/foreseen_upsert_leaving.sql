-- updated
SELECT COUNT_BIG(*) FROM [dbo].[orders] AS d
JOIN [pipekit_staging].[load.orders] AS s ON d.[id] = s.[id] AND d.[line] = s.[line]
WHERE EXISTS (SELECT s.[amount], CAST(s.[odd "name"] AS varbinary(max)), DATALENGTH(s.[odd "name"]), s.[at] EXCEPT SELECT d.[amount], CAST(d.[odd "name"] AS varbinary(max)), DATALENGTH(d.[odd "name"]), d.[at]);
-- inserted
SELECT COUNT_BIG(*) FROM [pipekit_staging].[load.orders] AS s
WHERE NOT EXISTS (SELECT 1 FROM [dbo].[orders] AS d WHERE d.[id] = s.[id] AND d.[line] = s.[line]);
-- matched
SELECT COUNT_BIG(*) FROM [dbo].[orders] AS d
JOIN [pipekit_staging].[load.orders] AS s ON d.[id] = s.[id] AND d.[line] = s.[line];
