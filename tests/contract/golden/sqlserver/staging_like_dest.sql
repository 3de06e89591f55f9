DROP TABLE IF EXISTS [pipekit_staging].[load.orders];
CREATE TABLE [pipekit_staging].[load.orders] (
  [id] bigint NOT NULL,
  [line] bigint NOT NULL,
  [amount] decimal(12,2) NULL,
  [odd "name"] nvarchar(max) NULL,
  [at] datetime2(7) NULL
);
