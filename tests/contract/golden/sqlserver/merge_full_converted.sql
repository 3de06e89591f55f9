-- deleted (first cell)
SELECT COUNT_BIG(*) FROM [dbo].[orders] WITH (TABLOCKX, HOLDLOCK);
TRUNCATE TABLE [dbo].[orders];
-- inserted
INSERT INTO [dbo].[orders] WITH (TABLOCK) ([id], [line], [amount], [odd "name"], [at])
SELECT s.[id], s.[line], CAST(s.[amount] AS decimal(12,2)), s.[odd "name"], s.[at]
FROM [pipekit_staging].[load.orders] AS s;
