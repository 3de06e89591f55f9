-- line
SELECT TOP (1) s.[pipekit_row], CONVERT(nvarchar(max), s.[line], 3)
FROM [pipekit_staging].[load.orders] AS s
WHERE EXISTS (SELECT CAST(s.[line] AS binary(8)) EXCEPT SELECT CAST(TRY_CAST(TRY_CAST(s.[line] AS bigint) AS float) AS binary(8)))
ORDER BY s.[pipekit_row];
-- amount
SELECT TOP (1) s.[pipekit_row], CONVERT(nvarchar(max), s.[amount], 3)
FROM [pipekit_staging].[load.orders] AS s
WHERE EXISTS (SELECT CAST(s.[amount] AS binary(8)) EXCEPT SELECT CAST(TRY_CAST(TRY_CAST(s.[amount] AS decimal(12,2)) AS float) AS binary(8)))
ORDER BY s.[pipekit_row];
