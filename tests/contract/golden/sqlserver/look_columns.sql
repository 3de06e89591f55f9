SELECT o.name, c.name, COALESCE(b.name, t.name), c.max_length, c.precision, c.scale,
  CASE WHEN c.collation_name <> CAST(DATABASEPROPERTYEX(DB_NAME(), 'Collation') AS nvarchar(128))
    THEN c.collation_name END,
  c.is_nullable, CASE WHEN c.default_object_id <> 0 THEN 1 ELSE 0 END,
  CASE WHEN c.is_computed = 1 OR c.generated_always_type <> 0 OR c.is_column_set = 1 OR c.system_type_id = 189
    THEN 1 ELSE 0 END,
  CASE WHEN c.is_identity = 1 AND o.type = 'U' THEN 1 ELSE 0 END,
  CASE WHEN ic.column_id IS NOT NULL THEN 1 ELSE 0 END, CAST(e.value AS nvarchar(4000))
FROM sys.objects AS o
JOIN sys.schemas AS s ON s.schema_id = o.schema_id
JOIN sys.columns AS c ON c.object_id = o.object_id
JOIN sys.types AS t ON t.user_type_id = c.user_type_id
LEFT JOIN sys.types AS b ON b.user_type_id = c.system_type_id
OUTER APPLY (
  SELECT TOP (1) i.index_id FROM sys.indexes AS i
  WHERE i.object_id = o.object_id AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0
  ORDER BY i.is_primary_key DESC, i.index_id
) AS k
LEFT JOIN sys.index_columns AS ic ON ic.object_id = o.object_id AND ic.index_id = k.index_id
  AND ic.column_id = c.column_id AND ic.key_ordinal > 0
LEFT JOIN sys.extended_properties AS e
  ON e.class = 1 AND e.major_id = o.object_id AND e.minor_id = c.column_id AND e.name = N'MS_Description'
WHERE s.name = N'dbo' AND o.type IN ('U', 'V') AND o.name = N'it''s'
ORDER BY o.name, c.column_id
