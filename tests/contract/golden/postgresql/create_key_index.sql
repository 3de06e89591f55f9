CREATE INDEX ON "public"."orders" ("id", "line");
