-- changed
UPDATE d SET [valid_to] = CAST('2026-11-30T13:49:51.123456' AS datetime2(7)), [current] = 0
FROM [dbo].[orders] AS d WITH (HOLDLOCK)
WHERE d.[valid_to] IS NULL AND EXISTS (SELECT 1 FROM [pipekit_staging].[load.orders] AS s WHERE EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT s.[id], s.[odd "name"]) AND (EXISTS (SELECT s.[line], s.[amount], CAST(s.[odd "name"] AS varbinary(max)), DATALENGTH(s.[odd "name"]), s.[at] EXCEPT SELECT d.[line], d.[amount], CAST(d.[odd "name"] AS varbinary(max)), DATALENGTH(d.[odd "name"]), d.[at])));
-- ended
UPDATE d SET [valid_to] = CAST('2026-11-30T13:49:51.123456' AS datetime2(7)), [current] = 0
FROM [dbo].[orders] AS d WITH (HOLDLOCK)
WHERE (
[valid_to] IS NULL
) AND NOT EXISTS (SELECT 1 FROM [pipekit_staging].[load.orders] AS k WHERE EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT k.[id], k.[odd "name"]));
-- inserted
INSERT INTO [dbo].[orders] ([id], [line], [amount], [odd "name"], [at], [valid_from], [valid_to], [current])
SELECT s.[id], s.[line], s.[amount], s.[odd "name"], s.[at], CAST('2026-11-30T13:49:51.123456' AS datetime2(7)), NULL, 1
FROM [pipekit_staging].[load.orders] AS s
WHERE NOT EXISTS (SELECT 1 FROM [dbo].[orders] AS d WHERE d.[valid_to] IS NULL AND EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT s.[id], s.[odd "name"]));
-- doubt (first cell)
SELECT COUNT(*) - (SELECT COUNT(*) FROM [pipekit_staging].[load.orders]) FROM [dbo].[orders] AS d, [pipekit_staging].[load.orders] AS s
WHERE d.[valid_to] IS NULL AND EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT s.[id], s.[odd "name"]);
-- late (first cell)
SELECT COUNT(*) FROM [dbo].[orders] AS d
WHERE (d.[valid_to] = CAST('2026-11-30T13:49:51.123456' AS datetime2(7)) AND d.[valid_from] >= CAST('2026-11-30T13:49:51.123456' AS datetime2(7))) OR d.[valid_to] > CAST('2026-11-30T13:49:51.123456' AS datetime2(7));
-- changed
SELECT COUNT_BIG(*) FROM [dbo].[orders] AS d, [pipekit_staging].[load.orders] AS s
WHERE d.[valid_to] IS NULL AND EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT s.[id], s.[odd "name"]) AND (EXISTS (SELECT s.[line], s.[amount], CAST(s.[odd "name"] AS varbinary(max)), DATALENGTH(s.[odd "name"]), s.[at] EXCEPT SELECT d.[line], d.[amount], CAST(d.[odd "name"] AS varbinary(max)), DATALENGTH(d.[odd "name"]), d.[at]));
-- ended
SELECT COUNT_BIG(*) FROM [dbo].[orders] AS d
WHERE (
[valid_to] IS NULL
) AND NOT EXISTS (SELECT 1 FROM [pipekit_staging].[load.orders] AS k WHERE EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT k.[id], k.[odd "name"]));
-- inserted
SELECT COUNT_BIG(*) FROM [pipekit_staging].[load.orders] AS s
WHERE NOT EXISTS (SELECT 1 FROM [dbo].[orders] AS d WHERE d.[valid_to] IS NULL AND EXISTS (SELECT d.[id], d.[odd "name"] INTERSECT SELECT s.[id], s.[odd "name"]) AND NOT (EXISTS (SELECT s.[line], s.[amount], CAST(s.[odd "name"] AS varbinary(max)), DATALENGTH(s.[odd "name"]), s.[at] EXCEPT SELECT d.[line], d.[amount], CAST(d.[odd "name"] AS varbinary(max)), DATALENGTH(d.[odd "name"]), d.[at])));
