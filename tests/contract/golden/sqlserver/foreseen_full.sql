-- deleted
SELECT COUNT_BIG(*) FROM [dbo].[orders] AS d
WHERE 1 = 1;
-- inserted
SELECT COUNT_BIG(*) FROM [pipekit_staging].[load.orders] AS s;
