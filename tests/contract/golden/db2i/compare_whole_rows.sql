-- not compared: odd "name"
SELECT COUNT(*) FROM "PIPEKIT"."load.orders" s;
SELECT COUNT(*) FROM "ORDERS" d
  WHERE id > 1;
SELECT COALESCE(SUM(g.lacks - CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END), 0), COALESCE(SUM(g.more - CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END), 0), COALESCE(SUM(CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END), 0) FROM (
SELECT b.c0, b.c1, b.c2, b.c3, SUM(CASE WHEN b.n > 0 THEN b.n ELSE 0 END) AS lacks, SUM(CASE WHEN b.n < 0 THEN -b.n ELSE 0 END) AS more FROM (
SELECT u.c0, u.c1, u.c2, u.c3, SUM(u.n) AS n FROM (
  SELECT s."id" AS c0, s."line" AS c1, CAST(s."amount" AS DECIMAL(12,2)) AS c2, s."at" AS c3, 1 AS n FROM "PIPEKIT"."load.orders" s
  UNION ALL
  SELECT d."id" AS c0, d."line" AS c1, d."amount" AS c2, d."at" AS c3, -1 AS n FROM "ORDERS" d
  WHERE id > 1
) u
GROUP BY u.c0, u.c1, u.c2, u.c3
HAVING SUM(u.n) <> 0
) b
GROUP BY b.c0, b.c1, b.c2, b.c3
) g;
SELECT b.c0, b.c1, b.c2, b.c3, b.n FROM (
SELECT u.c0, u.c1, u.c2, u.c3, SUM(u.n) AS n FROM (
  SELECT s."id" AS c0, s."line" AS c1, CAST(s."amount" AS DECIMAL(12,2)) AS c2, s."at" AS c3, 1 AS n FROM "PIPEKIT"."load.orders" s
  UNION ALL
  SELECT d."id" AS c0, d."line" AS c1, d."amount" AS c2, d."at" AS c3, -1 AS n FROM "ORDERS" d
  WHERE id > 1
) u
GROUP BY u.c0, u.c1, u.c2, u.c3
HAVING SUM(u.n) <> 0
) b
ORDER BY b.c0, b.c1, b.c2, b.c3, b.n DESC;
