DECLARE @comment nvarchar(3750) = N'the order''s "number"';
IF EXISTS (
  SELECT 1 FROM sys.extended_properties AS e
  JOIN sys.columns AS c ON c.object_id = e.major_id AND c.column_id = e.minor_id
  WHERE e.class = 1 AND e.name = N'MS_Description' AND e.major_id = OBJECT_ID(N'[dbo].[orders]') AND c.name = N'id'
)
  EXEC sys.sp_updateextendedproperty @name = N'MS_Description', @value = @comment,
    @level0type = N'SCHEMA', @level0name = N'dbo', @level1type = N'TABLE', @level1name = N'orders',
    @level2type = N'COLUMN', @level2name = N'id';
ELSE
  EXEC sys.sp_addextendedproperty @name = N'MS_Description', @value = @comment,
    @level0type = N'SCHEMA', @level0name = N'dbo', @level1type = N'TABLE', @level1name = N'orders',
    @level2type = N'COLUMN', @level2name = N'id'
