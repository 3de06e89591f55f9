SELECT COUNT(*) FROM "pipekit_staging.load.orders" AS staging;
SELECT COUNT(*) FROM "orders" AS dest
  WHERE id > 1;
SELECT COALESCE(SUM(g.lacks - CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END), 0), COALESCE(SUM(g.more - CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END), 0), COALESCE(SUM(CASE WHEN g.lacks < g.more THEN g.lacks ELSE g.more END), 0) FROM (
SELECT b.c0, b.c1, b.c2, b.c3, b.c4, SUM(CASE WHEN b.n > 0 THEN b.n ELSE 0 END) AS lacks, SUM(CASE WHEN b.n < 0 THEN -b.n ELSE 0 END) AS more FROM (
SELECT u.c0, u.c1, u.c2, u.c3, u.c4, SUM(u.n) AS n FROM (
  SELECT quote(staging."id") AS c0, quote(staging."line") AS c1, quote(staging."amount") AS c2, quote(staging."odd ""name""") AS c3, quote(staging."at") AS c4, 1 AS n FROM "pipekit_staging.load.orders" AS staging
  UNION ALL
  SELECT quote(dest."id") AS c0, quote(dest."line") AS c1, quote(dest."amount") AS c2, quote(dest."odd ""name""") AS c3, quote(dest."at") AS c4, -1 AS n FROM "orders" AS dest
  WHERE id > 1
) u
GROUP BY u.c0, u.c1, u.c2, u.c3, u.c4
HAVING SUM(u.n) <> 0
) b
GROUP BY b.c0, b.c1, b.c2, b.c3, b.c4
) g;
SELECT b.c0, b.c1, b.c2, b.c3, b.c4, b.n FROM (
SELECT u.c0, u.c1, u.c2, u.c3, u.c4, SUM(u.n) AS n FROM (
  SELECT quote(staging."id") AS c0, quote(staging."line") AS c1, quote(staging."amount") AS c2, quote(staging."odd ""name""") AS c3, quote(staging."at") AS c4, 1 AS n FROM "pipekit_staging.load.orders" AS staging
  UNION ALL
  SELECT quote(dest."id") AS c0, quote(dest."line") AS c1, quote(dest."amount") AS c2, quote(dest."odd ""name""") AS c3, quote(dest."at") AS c4, -1 AS n FROM "orders" AS dest
  WHERE id > 1
) u
GROUP BY u.c0, u.c1, u.c2, u.c3, u.c4
HAVING SUM(u.n) <> 0
) b
ORDER BY b.c0, b.c1, b.c2, b.c3, b.c4, b.n DESC;
