ANALYZE "pipekit_staging"."load.orders" ("id", "line");
