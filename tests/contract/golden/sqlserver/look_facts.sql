SELECT RTRIM(o.type), HAS_PERMS_BY_NAME(n.name, 'OBJECT', 'INSERT'), HAS_PERMS_BY_NAME(n.name, 'OBJECT', 'ALTER'),
  t.is_memory_optimized, t.is_external, t.temporal_type,
  CASE WHEN t.temporal_type = 0 AND t.is_published = 0 AND t.is_merge_published = 0 AND t.is_replicated = 0
    AND t.is_tracked_by_cdc = 0 AND OBJECTPROPERTY(o.object_id, 'TableHasForeignRef') = 0
    AND NOT EXISTS (
      SELECT 1 FROM sys.sql_dependencies AS d
      JOIN sys.indexes AS i ON i.object_id = d.object_id AND i.index_id = 1
      WHERE d.class = 1 AND d.referenced_major_id = o.object_id AND d.object_id <> o.object_id
    ) THEN 1 ELSE 0 END
FROM sys.objects AS o
JOIN sys.schemas AS s ON s.schema_id = o.schema_id
CROSS APPLY (SELECT QUOTENAME(s.name) + N'.' + QUOTENAME(o.name) AS name) AS n
LEFT JOIN sys.tables AS t ON t.object_id = o.object_id
WHERE s.name = N'dbo' AND o.name = N'it''s'
