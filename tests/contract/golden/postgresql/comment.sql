COMMENT ON COLUMN "public"."orders"."id" IS 'the order''s "number"'
