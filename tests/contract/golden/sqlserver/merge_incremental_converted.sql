-- deleted
DELETE d FROM [dbo].[orders] AS d WITH (HOLDLOCK)
WHERE EXISTS (SELECT 1 FROM [pipekit_staging].[load.orders] AS s WHERE d.[id] = CAST(s.[id] AS bigint));
-- inserted
INSERT INTO [dbo].[orders] ([id], [line], [amount], [odd "name"], [at])
SELECT CAST(s.[id] AS bigint), s.[line], CAST(s.[amount] AS decimal(12,2)), s.[odd "name"], s.[at]
FROM [pipekit_staging].[load.orders] AS s;
