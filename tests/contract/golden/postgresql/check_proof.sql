CREATE UNIQUE INDEX ON "pipekit_staging"."load.orders" ("id", "line")
