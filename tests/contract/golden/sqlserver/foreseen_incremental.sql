-- deleted
SELECT COUNT_BIG(*) FROM [dbo].[orders] AS d
WHERE EXISTS (SELECT 1 FROM [pipekit_staging].[load.orders] AS k WHERE d.[id] = k.[id] AND d.[line] = k.[line]);
-- inserted
SELECT COUNT_BIG(*) FROM [pipekit_staging].[load.orders] AS s;
