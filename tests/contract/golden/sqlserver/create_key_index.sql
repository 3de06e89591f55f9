CREATE INDEX [orders_key_1c168a] ON [dbo].[orders] ([id], [line]);
