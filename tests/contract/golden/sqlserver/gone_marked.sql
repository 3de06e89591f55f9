SELECT COUNT(*) FROM [pipekit_staging].[load.orders] s
WHERE EXISTS (SELECT 1 FROM [pipekit_staging].[load.orders~keys] k WHERE k.[id] = s.[id] AND k.[odd "name"] = s.[odd "name"]);
INSERT INTO [pipekit_staging].[load.orders~keys] ([id], [odd "name"])
SELECT [id], [odd "name"] FROM [pipekit_staging].[load.orders];
SELECT COUNT(*) FROM [dbo].[orders] AS d
WHERE (
amount > 0 -- some
) AND d.[at] IS NULL AND NOT EXISTS (SELECT 1 FROM [pipekit_staging].[load.orders~keys] AS k WHERE EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT k.[id], k.[odd "name"]));
SELECT COUNT(*) FROM [dbo].[orders] AS d
WHERE (
amount > 0 -- some
) AND d.[at] IS NULL;
-- marked
UPDATE d SET [at] = CAST('2026-11-30T13:49:51.123456' AS datetime2(7))
FROM [dbo].[orders] AS d WITH (HOLDLOCK)
WHERE (
amount > 0 -- some
) AND d.[at] IS NULL AND NOT EXISTS (SELECT 1 FROM [pipekit_staging].[load.orders~keys] AS k WHERE EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT k.[id], k.[odd "name"]));
-- unmarked
UPDATE d SET [at] = NULL
FROM [dbo].[orders] AS d WITH (HOLDLOCK)
WHERE d.[at] IS NOT NULL AND EXISTS (SELECT 1 FROM [pipekit_staging].[load.orders~keys] AS k WHERE EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT k.[id], k.[odd "name"]));
