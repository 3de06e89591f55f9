CREATE TABLE "orders" (
  "id" INTEGER NOT NULL,
  "line" INTEGER NOT NULL,
  "amount" DECIMAL(12,2),
  "odd ""name""" TEXT,
  "at" TIMESTAMP,
  PRIMARY KEY ("id")
);
