SELECT m.name, x.name,
  CASE WHEN upper(x.type) = 'ANY' AND NOT l.strict THEN 'NUMERIC' ELSE x.type END,
  x."notnull", x.dflt_value IS NOT NULL, x.hidden, x.pk, l.wr, m.sql,
  (SELECT count(*) FROM pragma_table_xinfo(m.name, 'main') k WHERE k.pk > 0)
FROM sqlite_master m
JOIN pragma_table_list l ON l.schema = 'main' AND l.name = m.name
JOIN pragma_table_xinfo(m.name, 'main') x
WHERE m.type IN ('table', 'view') AND x.hidden <> 1 AND m.name = 'it''s' COLLATE NOCASE
ORDER BY m.name, x.cid
