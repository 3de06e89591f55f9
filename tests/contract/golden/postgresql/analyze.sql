ANALYZE "pipekit_staging"."load.orders";
