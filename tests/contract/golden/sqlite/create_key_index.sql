CREATE INDEX "orders_key_1c168a" ON "orders" ("id", "line");
