CREATE TABLE "ORDERS" (
  "id" BIGINT NOT NULL,
  "line" BIGINT NOT NULL,
  "amount" DECIMAL(12,2),
  "odd ""name""" DBCLOB(512M) CCSID 1200,
  "at" TIMESTAMP,
  PRIMARY KEY ("id")
);
LABEL ON COLUMN "ORDERS"."odd ""name""" TEXT IS 'what it''s called';
