-- updated
SELECT COUNT_BIG(*) FROM [dbo].[orders] AS d
JOIN [pipekit_staging].[load.orders] AS s ON EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT s.[id], s.[odd "name"]);
-- inserted
SELECT COUNT_BIG(*) FROM [pipekit_staging].[load.orders] AS s
WHERE NOT EXISTS (SELECT 1 FROM [dbo].[orders] AS d WHERE EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT s.[id], s.[odd "name"]));
