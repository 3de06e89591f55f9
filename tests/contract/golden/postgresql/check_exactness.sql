-- line
SELECT (SELECT pg_catalog.count(*) FROM "pipekit_staging"."load.orders" AS before WHERE before.ctid <= s.ctid), CAST(s."line" AS text)
FROM "pipekit_staging"."load.orders" AS s
WHERE CASE WHEN s."line" >= -9223372036854775808 AND s."line" < 9223372036854775808 THEN CAST(CAST(s."line" AS bigint) AS double precision) IS DISTINCT FROM s."line" ELSE s."line" IS NOT NULL END
LIMIT 1;
-- amount
SELECT (SELECT pg_catalog.count(*) FROM "pipekit_staging"."load.orders" AS before WHERE before.ctid <= s.ctid), CAST(s."amount" AS text)
FROM "pipekit_staging"."load.orders" AS s
WHERE CASE WHEN CAST(CAST(s."amount" AS text) AS numeric) = 'NaN' OR abs(round(CAST(CAST(s."amount" AS text) AS numeric), 2)) < 1e10 THEN CAST(CAST(CAST(s."amount" AS text) AS numeric(12,2)) AS double precision) IS DISTINCT FROM s."amount" ELSE s."amount" IS NOT NULL END
LIMIT 1;
