WITH family AS (
  SELECT o.object_id, 1 AS depth
  FROM sys.objects AS o
  JOIN sys.schemas AS s ON s.schema_id = o.schema_id
  WHERE s.name = N'dbo' AND o.name = N'it''s'
  UNION ALL
  SELECT o.object_id, f.depth + 1
  FROM family AS f
  JOIN sys.views AS v ON v.object_id = f.object_id
  JOIN sys.objects AS o ON o.type IN ('U', 'V') AND o.object_id <> f.object_id
  WHERE f.depth < 9 AND EXISTS (
    SELECT 1 FROM sys.sql_dependencies AS d
    WHERE d.class IN (0, 1) AND d.object_id = f.object_id AND d.referenced_major_id = o.object_id
  )
), reference AS (
  SELECT k.object_id, k.parent_object_id, k.referenced_object_id, k.delete_referential_action,
    k.update_referential_action, 1 AS depth, CAST(k.object_id AS varchar(400)) AS path
  FROM sys.foreign_keys AS k
  WHERE k.is_disabled = 0 AND k.referenced_object_id IN (SELECT f.object_id FROM family AS f)
  UNION ALL
  SELECT k.object_id, k.parent_object_id, k.referenced_object_id, k.delete_referential_action,
    k.update_referential_action, r.depth + 1, CAST(CONCAT(r.path, '/', k.object_id) AS varchar(400))
  FROM reference AS r
  JOIN sys.foreign_keys AS k ON k.referenced_object_id = r.parent_object_id
  WHERE k.is_disabled = 0 AND r.parent_object_id <> r.referenced_object_id AND r.depth < 9
    AND (r.delete_referential_action <> 0 OR r.update_referential_action <> 0)
)
SELECT RTRIM(o.type), HAS_PERMS_BY_NAME(n.name, 'OBJECT', 'INSERT'), HAS_PERMS_BY_NAME(n.name, 'OBJECT', 'ALTER'),
  t.is_memory_optimized, t.is_external, t.temporal_type,
  CASE WHEN t.temporal_type = 0 AND t.is_published = 0 AND t.is_merge_published = 0 AND t.is_replicated = 0
    AND t.is_tracked_by_cdc = 0 AND OBJECTPROPERTY(o.object_id, 'TableHasForeignRef') = 0
    AND NOT EXISTS (
      SELECT 1 FROM sys.sql_dependencies AS d
      JOIN sys.indexes AS i ON i.object_id = d.object_id AND i.index_id = 1
      WHERE d.class = 1 AND d.referenced_major_id = o.object_id AND d.object_id <> o.object_id
    ) THEN 1 ELSE 0 END,
  CASE WHEN HAS_PERMS_BY_NAME(n.name, 'OBJECT', 'SELECT') = 1 AND HAS_PERMS_BY_NAME(n.name, 'OBJECT', 'UPDATE') = 1
    AND HAS_PERMS_BY_NAME(n.name, 'OBJECT', 'DELETE') = 1 THEN 1 ELSE 0 END,
  CASE WHEN EXISTS (
    SELECT 1 FROM sys.security_predicates AS f
    JOIN sys.security_policies AS p ON p.object_id = f.object_id
    WHERE f.predicate_type = 0 AND p.is_enabled = 1
      AND f.target_object_id IN (SELECT m.object_id FROM family AS m)
  ) THEN 1 ELSE 0 END,
  CASE WHEN EXISTS (
    SELECT 1 FROM family AS m
    WHERE OBJECTPROPERTY(m.object_id, 'TableHasForeignRef') = 1
      AND NOT EXISTS (SELECT 1 FROM sys.foreign_keys AS k WHERE k.referenced_object_id = m.object_id)
  ) THEN 1 ELSE 0 END,
  (
    SELECT e.number AS event
    FROM (VALUES (1, 'HasInsertTrigger'), (2, 'HasUpdateTrigger'), (3, 'HasDeleteTrigger')) AS e (number, property)
    WHERE OBJECTPROPERTY(o.object_id, e.property) = 1 AND NOT EXISTS (
      SELECT 1 FROM sys.triggers AS g
      JOIN sys.trigger_events AS v ON v.object_id = g.object_id
      WHERE g.parent_id = o.object_id AND v.type = e.number
    )
    FOR JSON PATH
  ),
  (
    SELECT g.name AS name, v.type AS event, g.is_instead_of_trigger AS instead
    FROM sys.triggers AS g
    JOIN sys.trigger_events AS v ON v.object_id = g.object_id
    WHERE g.parent_id = o.object_id AND g.is_disabled = 0
    ORDER BY g.name, v.type
    FOR JSON PATH
  ),
  (
    SELECT c.name AS name, c.xml_collection_id AS collection
    FROM sys.columns AS c
    JOIN sys.types AS y ON y.user_type_id = c.system_type_id
    WHERE c.object_id = o.object_id AND c.is_computed = 0
      AND (c.xml_collection_id <> 0 OR (c.is_ansi_padded = 0 AND y.name IN ('varchar', 'binary', 'varbinary')))
    ORDER BY c.column_id
    FOR JSON PATH
  ),
  (
    SELECT i.index_id AS number, c.name AS name
    FROM sys.indexes AS i
    JOIN sys.index_columns AS x ON x.object_id = i.object_id AND x.index_id = i.index_id AND x.key_ordinal > 0
    JOIN sys.columns AS c ON c.object_id = x.object_id AND c.column_id = x.column_id
    WHERE i.object_id = o.object_id AND o.type = 'U' AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0
    ORDER BY i.is_primary_key DESC, i.index_id, x.key_ordinal
    FOR JSON PATH
  ),
  (
    SELECT r.path AS path, cs.name AS child_schema, co.name AS child, r.delete_referential_action AS on_delete,
      r.update_referential_action AS on_update, own.yes AS own, pc.name AS name, rc.name AS referred,
      HAS_PERMS_BY_NAME(CONCAT(QUOTENAME(cs.name), N'.', QUOTENAME(co.name)), 'OBJECT', 'SELECT') AS readable,
      (
        SELECT COUNT(*) FROM sys.security_predicates AS f
        JOIN sys.security_policies AS p ON p.object_id = f.object_id
        WHERE f.target_object_id = r.parent_object_id AND f.predicate_type = 0 AND p.is_enabled = 1
      ) AS hidden
    FROM reference AS r
    JOIN sys.objects AS co ON co.object_id = r.parent_object_id
    JOIN sys.schemas AS cs ON cs.schema_id = co.schema_id
    JOIN sys.foreign_key_columns AS fc ON fc.constraint_object_id = r.object_id
    JOIN sys.columns AS pc ON pc.object_id = fc.parent_object_id AND pc.column_id = fc.parent_column_id
    JOIN sys.columns AS rc ON rc.object_id = fc.referenced_object_id AND rc.column_id = fc.referenced_column_id
    CROSS APPLY (
      SELECT COUNT(*) AS yes FROM family AS m WHERE m.object_id = r.parent_object_id
    ) AS own
    ORDER BY r.depth, cs.name, co.name, r.path, fc.constraint_column_id
    FOR JSON PATH
  )
FROM sys.objects AS o
JOIN sys.schemas AS s ON s.schema_id = o.schema_id
CROSS APPLY (SELECT QUOTENAME(s.name) + N'.' + QUOTENAME(o.name) AS name) AS n
LEFT JOIN sys.tables AS t ON t.object_id = o.object_id
WHERE s.name = N'dbo' AND o.name = N'it''s'
