SELECT COUNT(*), MIN('id = ' || COALESCE(CAST(r."id" AS VARCHAR(200)), 'NULL') || ', ' || 'line = ' || COALESCE(CAST(r."line" AS VARCHAR(200)), 'NULL'))
FROM (
SELECT k."id", k."line" FROM (
  SELECT s."id" AS "id", s."line" AS "line" FROM "pipekit_staging"."load.orders" s
) k
GROUP BY k."id", k."line"
HAVING COUNT(*) > 1
) r
