SELECT c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), NOT (a.attnotnull OR t.typnotnull),
  (a.atthasdef AND a.attgenerated = '') OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
  a.attgenerated <> '', k.attnum IS NOT NULL, pg_catalog.col_description(c.oid, a.attnum),
  a.attidentity = 'a' OR c.relkind = 'v' AND EXISTS (
    SELECT FROM pg_catalog.pg_rewrite AS r
    JOIN pg_catalog.pg_depend AS p ON p.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND p.objid = r.oid
    JOIN pg_catalog.pg_attribute AS b ON b.attrelid = p.refobjid AND b.attnum = p.refobjsubid
    WHERE r.ev_class = c.oid AND b.attidentity = 'a' AND b.attname = a.attname
      AND p.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
  ),
  (
    WITH RECURSIVE under AS (
      SELECT CASE WHEN e.oid IS NULL THEN t.oid ELSE e.oid END AS id, -1 AS modifier,
        CASE WHEN e.oid IS NULL THEN '' ELSE '[]' END AS suffix
      FROM (SELECT) AS one LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem AND t.typcategory = 'A'
      UNION ALL
      SELECT d.typbasetype, d.typtypmod, under.suffix FROM under
      JOIN pg_catalog.pg_type AS d ON d.oid = under.id WHERE d.typtype = 'd'
    )
    SELECT CASE b.typtype WHEN 'c' THEN 'record' ELSE pg_catalog.format_type(b.oid, under.modifier) END || under.suffix
    FROM under JOIN pg_catalog.pg_type AS b ON b.oid = under.id
    WHERE b.typtype = 'c' OR b.typtype <> 'd' AND b.oid NOT IN (t.oid, t.typelem)
  )
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
LEFT JOIN (
  SELECT i.indrelid, pg_catalog.unnest(i.indkey::smallint[]) AS attnum
  FROM pg_catalog.pg_index AS i WHERE i.indisprimary
) AS k ON k.indrelid = c.oid AND k.attnum = a.attnum
WHERE n.nspname = 'it''s' AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
ORDER BY c.relname, a.attnum
