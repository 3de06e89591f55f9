-- inserted
INSERT INTO "ORDERS" ("id", "line", "amount", "odd ""name""", "at")
SELECT s."id", s."line", s."amount", s."odd ""name""", s."at"
FROM "PIPEKIT"."load.orders" s;
