LABEL ON COLUMN "ORDERS"."id" TEXT IS 'the order''s "number"'
