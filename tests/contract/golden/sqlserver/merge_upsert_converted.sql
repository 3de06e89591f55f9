-- updated (first cell)
SELECT COUNT_BIG(*)
FROM [dbo].[orders] AS d WITH (UPDLOCK, HOLDLOCK)
JOIN [pipekit_staging].[load.orders] AS s ON d.[id] = CAST(s.[id] AS bigint);
UPDATE d SET [line] = s.[line], [amount] = CAST(s.[amount] AS decimal(12,2)), [odd "name"] = s.[odd "name"], [at] = s.[at]
FROM [dbo].[orders] AS d
JOIN [pipekit_staging].[load.orders] AS s ON d.[id] = CAST(s.[id] AS bigint)
WHERE EXISTS (SELECT s.[line], CAST(s.[amount] AS decimal(12,2)), CAST(s.[odd "name"] AS varbinary(max)), DATALENGTH(s.[odd "name"]), s.[at] EXCEPT SELECT d.[line], d.[amount], CAST(d.[odd "name"] AS varbinary(max)), DATALENGTH(d.[odd "name"]), d.[at]);
-- inserted
INSERT INTO [dbo].[orders] ([id], [line], [amount], [odd "name"], [at])
SELECT CAST(s.[id] AS bigint), s.[line], CAST(s.[amount] AS decimal(12,2)), s.[odd "name"], s.[at]
FROM [pipekit_staging].[load.orders] AS s
WHERE NOT EXISTS (SELECT 1 FROM [dbo].[orders] AS d WITH (UPDLOCK, HOLDLOCK) WHERE d.[id] = CAST(s.[id] AS bigint));
