-- deleted
DELETE FROM [dbo].[orders] WITH (TABLOCK);
-- inserted
INSERT INTO [dbo].[orders] WITH (TABLOCK) ([id], [line], [amount], [odd "name"], [at])
SELECT s.[id], s.[line], s.[amount], s.[odd "name"], s.[at]
FROM [pipekit_staging].[load.orders] AS s;
