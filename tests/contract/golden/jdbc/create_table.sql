CREATE TABLE "orders" (
  "id" BIGINT NOT NULL,
  "line" BIGINT NOT NULL,
  "amount" DECIMAL(12,2),
  "odd ""name""" CLOB,
  "at" TIMESTAMP,
  PRIMARY KEY ("id")
);
