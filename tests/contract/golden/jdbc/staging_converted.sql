DROP TABLE IF EXISTS "pipekit_staging"."load.orders";
CREATE TABLE "pipekit_staging"."load.orders" (
  "id" BIGINT NOT NULL,
  "line" BIGINT NOT NULL,
  "amount" DOUBLE PRECISION,
  "odd ""name""" CLOB,
  "at" DOUBLE PRECISION
);
