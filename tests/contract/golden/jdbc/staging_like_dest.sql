DROP TABLE IF EXISTS "pipekit_staging"."load.orders";
CREATE TABLE "pipekit_staging"."load.orders" (
  "id" BIGINT NOT NULL,
  "line" BIGINT NOT NULL,
  "amount" DECIMAL(12,2),
  "odd ""name""" CLOB,
  "at" TIMESTAMP
);
