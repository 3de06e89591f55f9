DROP TABLE IF EXISTS [pipekit_staging].[load.orders];
CREATE TABLE [pipekit_staging].[load.orders] (
  [id] bigint NOT NULL,
  [line] bigint NOT NULL,
  [amount] float NULL,
  [odd "name"] nvarchar(max) NULL,
  [at] float NULL,
  [pipekit_row] bigint IDENTITY(1,1) NOT NULL
);
