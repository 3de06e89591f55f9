-- matched (first cell)
SELECT COUNT_BIG(*)
FROM [dbo].[orders] AS d WITH (UPDLOCK, HOLDLOCK)
JOIN [pipekit_staging].[load.orders] AS s ON d.[id] = s.[id] AND d.[line] = s.[line];
-- updated
UPDATE d SET [amount] = CAST(s.[amount] AS decimal(12,2)), [odd "name"] = s.[odd "name"], [at] = s.[at]
FROM [dbo].[orders] AS d
JOIN [pipekit_staging].[load.orders] AS s ON d.[id] = s.[id] AND d.[line] = s.[line]
WHERE EXISTS (SELECT CAST(s.[amount] AS decimal(12,2)), CAST(s.[odd "name"] AS varbinary(max)), DATALENGTH(s.[odd "name"]), s.[at] EXCEPT SELECT d.[amount], CAST(d.[odd "name"] AS varbinary(max)), DATALENGTH(d.[odd "name"]), d.[at]);
-- inserted
INSERT INTO [dbo].[orders] ([id], [line], [amount], [odd "name"], [at])
SELECT s.[id], s.[line], CAST(s.[amount] AS decimal(12,2)), s.[odd "name"], s.[at]
FROM [pipekit_staging].[load.orders] AS s
WHERE NOT EXISTS (SELECT 1 FROM [dbo].[orders] AS d WITH (UPDLOCK, HOLDLOCK) WHERE d.[id] = s.[id] AND d.[line] = s.[line]);
