CREATE INDEX "ORDERS_key_d0d6ef" ON "ORDERS" ("id", "line");
