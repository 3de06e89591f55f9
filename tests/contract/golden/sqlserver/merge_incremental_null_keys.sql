-- deleted
DELETE d FROM [dbo].[orders] AS d WITH (HOLDLOCK)
WHERE EXISTS (SELECT 1 FROM [pipekit_staging].[load.orders] AS s WHERE EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT s.[id], s.[odd "name"]));
-- inserted
INSERT INTO [dbo].[orders] ([id], [line], [amount], [odd "name"], [at])
SELECT s.[id], s.[line], s.[amount], s.[odd "name"], s.[at]
FROM [pipekit_staging].[load.orders] AS s;
