SELECT o.name, CASE WHEN o.type = 'V' THEN 1 ELSE 0 END, p.row_count, CAST(e.value AS nvarchar(4000))
FROM sys.objects AS o
JOIN sys.schemas AS s ON s.schema_id = o.schema_id
LEFT JOIN (
  SELECT object_id, SUM([rows]) AS row_count FROM sys.partitions WHERE index_id IN (0, 1) GROUP BY object_id
) AS p ON p.object_id = o.object_id
LEFT JOIN sys.extended_properties AS e
  ON e.class = 1 AND e.major_id = o.object_id AND e.minor_id = 0 AND e.name = N'MS_Description'
WHERE s.name = N'it''s' AND o.type IN ('U', 'V') AND o.is_ms_shipped = 0
ORDER BY o.name
