-- matched (first cell)
SELECT COUNT_BIG(*)
FROM [dbo].[orders] AS d WITH (UPDLOCK, HOLDLOCK)
JOIN [pipekit_staging].[load.orders] AS s ON d.[id] = s.[id] AND d.[line] = s.[line];
-- inserted
INSERT INTO [dbo].[orders] ([id], [line])
SELECT s.[id], s.[line]
FROM [pipekit_staging].[load.orders] AS s
WHERE NOT EXISTS (SELECT 1 FROM [dbo].[orders] AS d WITH (UPDLOCK, HOLDLOCK) WHERE d.[id] = s.[id] AND d.[line] = s.[line]);
