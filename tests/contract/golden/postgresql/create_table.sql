CREATE TABLE "public"."orders" (
  "id" bigint NOT NULL,
  "line" bigint NOT NULL,
  "amount" numeric(12,2),
  "odd ""name""" text,
  "at" timestamp without time zone,
  PRIMARY KEY ("id")
);
COMMENT ON COLUMN "public"."orders"."odd ""name""" IS 'what it''s called';
