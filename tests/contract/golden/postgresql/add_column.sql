ALTER TABLE "public"."orders" ADD COLUMN "odd ""name""" text;
COMMENT ON COLUMN "public"."orders"."odd ""name""" IS 'what it''s called';
