DROP TABLE "PIPEKIT"."load.orders" -- {pipekit if-there ["PIPEKIT", "load.orders"]};
CREATE TABLE "PIPEKIT"."load.orders" (
  "id" BIGINT NOT NULL,
  "line" BIGINT NOT NULL,
  "amount" DECIMAL(12,2),
  "odd ""name""" DBCLOB(512M) CCSID 1200,
  "at" TIMESTAMP
);
