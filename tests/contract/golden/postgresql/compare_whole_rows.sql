SELECT COUNT(*) FROM "pipekit_staging"."load.orders" AS s;
SELECT COUNT(*) FROM "public"."orders" AS d
  WHERE id > 1;
SELECT COALESCE(SUM(g.lacks - CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END), 0), COALESCE(SUM(g.more - CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END), 0), COALESCE(SUM(CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END), 0) FROM (
SELECT b.c0, b.c1, b.c2, b.c3, b.c4, SUM(CASE WHEN b.n > 0 THEN b.n ELSE 0 END) AS lacks, SUM(CASE WHEN b.n < 0 THEN -b.n ELSE 0 END) AS more FROM (
SELECT u.c0, u.c1, u.c2, u.c3, u.c4, SUM(u.n) AS n FROM (
  SELECT s."id" AS c0, s."line" AS c1, CAST(CAST(CAST(s."amount" AS text) AS numeric(12,2)) AS text) AS c2, s."odd ""name""" COLLATE "C" AS c3, s."at" AS c4, 1 AS n FROM "pipekit_staging"."load.orders" AS s
  UNION ALL
  SELECT d."id" AS c0, d."line" AS c1, CAST(d."amount" AS text) AS c2, d."odd ""name""" COLLATE "C" AS c3, d."at" AS c4, -1 AS n FROM "public"."orders" AS d
  WHERE id > 1
) u
GROUP BY u.c0, u.c1, u.c2, u.c3, u.c4
HAVING SUM(u.n) <> 0
) b
GROUP BY b.c0, b.c1, b.c2, b.c3, b.c4
) g;
SELECT b.c0, b.c1, b.c2, b.c3, b.c4, b.n FROM (
SELECT u.c0, u.c1, u.c2, u.c3, u.c4, SUM(u.n) AS n FROM (
  SELECT s."id" AS c0, s."line" AS c1, CAST(CAST(CAST(s."amount" AS text) AS numeric(12,2)) AS text) AS c2, s."odd ""name""" COLLATE "C" AS c3, s."at" AS c4, 1 AS n FROM "pipekit_staging"."load.orders" AS s
  UNION ALL
  SELECT d."id" AS c0, d."line" AS c1, CAST(d."amount" AS text) AS c2, d."odd ""name""" COLLATE "C" AS c3, d."at" AS c4, -1 AS n FROM "public"."orders" AS d
  WHERE id > 1
) u
GROUP BY u.c0, u.c1, u.c2, u.c3, u.c4
HAVING SUM(u.n) <> 0
) b
ORDER BY b.c0, b.c1, b.c2, b.c3, b.c4, b.n DESC;
