SELECT COUNT(*), MIN('id = ' || COALESCE(CAST(r."id" AS VARCHAR(200)), 'NULL'))
FROM (
SELECT k."id" FROM (
  SELECT CAST(s."id" AS BIGINT) AS "id" FROM "pipekit_staging"."load.orders" s
) k
GROUP BY k."id"
HAVING COUNT(*) > 1
) r
