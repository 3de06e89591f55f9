SELECT COUNT(*) FROM [pipekit_staging].[load.orders] AS s;
SELECT COUNT(*) FROM [dbo].[orders] AS d
  WHERE id > 1;
SELECT COALESCE(SUM(g.lacks - CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END), 0), COALESCE(SUM(g.more - CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END), 0), COALESCE(SUM(CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END), 0) FROM (
SELECT b.c0, b.c1, b.c2, b.c3, b.c4, SUM(CASE WHEN b.n > 0 THEN b.n ELSE 0 END) AS lacks, SUM(CASE WHEN b.n < 0 THEN -b.n ELSE 0 END) AS more FROM (
SELECT u.c0, u.c1, u.c2, u.c3, u.c4, SUM(u.n) AS n FROM (
  SELECT CAST(s.[id] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c0, CAST(s.[line] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c1, CAST(CAST(s.[amount] AS decimal(12,2)) AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c2, CAST(s.[odd "name"] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c3, CONVERT(nvarchar(max), s.[at], 121) COLLATE Latin1_General_100_BIN2 + N'.' AS c4, 1 AS n FROM [pipekit_staging].[load.orders] AS s
  UNION ALL
  SELECT CAST(d.[id] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c0, CAST(d.[line] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c1, CAST(d.[amount] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c2, CAST(d.[odd "name"] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c3, CONVERT(nvarchar(max), d.[at], 121) COLLATE Latin1_General_100_BIN2 + N'.' AS c4, -1 AS n FROM [dbo].[orders] AS d
  WHERE id > 1
) u
GROUP BY u.c0, u.c1, u.c2, u.c3, u.c4
HAVING SUM(u.n) <> 0
) b
GROUP BY b.c0, b.c1, b.c2, b.c3, b.c4
) g;
SELECT b.c0, b.c1, b.c2, b.c3, b.c4, b.n FROM (
SELECT u.c0, u.c1, u.c2, u.c3, u.c4, SUM(u.n) AS n FROM (
  SELECT CAST(s.[id] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c0, CAST(s.[line] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c1, CAST(CAST(s.[amount] AS decimal(12,2)) AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c2, CAST(s.[odd "name"] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c3, CONVERT(nvarchar(max), s.[at], 121) COLLATE Latin1_General_100_BIN2 + N'.' AS c4, 1 AS n FROM [pipekit_staging].[load.orders] AS s
  UNION ALL
  SELECT CAST(d.[id] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c0, CAST(d.[line] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c1, CAST(d.[amount] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c2, CAST(d.[odd "name"] AS nvarchar(max)) COLLATE Latin1_General_100_BIN2 + N'.' AS c3, CONVERT(nvarchar(max), d.[at], 121) COLLATE Latin1_General_100_BIN2 + N'.' AS c4, -1 AS n FROM [dbo].[orders] AS d
  WHERE id > 1
) u
GROUP BY u.c0, u.c1, u.c2, u.c3, u.c4
HAVING SUM(u.n) <> 0
) b
ORDER BY b.c0, b.c1, b.c2, b.c3, b.c4, b.n DESC;
