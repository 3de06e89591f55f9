-- line
SELECT s.pipekit_row, s."line"
FROM (
SELECT ROW_NUMBER() OVER () AS pipekit_row, t."line" FROM "PIPEKIT"."load.orders" t
) s
WHERE CAST(CAST(s."line" AS BIGINT) AS DOUBLE) <> s."line";
-- amount
SELECT s.pipekit_row, s."amount"
FROM (
SELECT ROW_NUMBER() OVER () AS pipekit_row, t."amount" FROM "PIPEKIT"."load.orders" t
) s
WHERE CAST(CAST(s."amount" AS DECIMAL(12,2)) AS DOUBLE) <> s."amount";
