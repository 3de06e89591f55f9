DROP TABLE IF EXISTS "pipekit_staging.load.orders";
CREATE TABLE "pipekit_staging.load.orders" (
  "id" INTEGER NOT NULL,
  "line" INTEGER NOT NULL,
  "amount" REAL,
  "odd ""name""" TEXT,
  "at" REAL
);
