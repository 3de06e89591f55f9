SELECT "state" FROM "pipekit_staging"."pipekit_ledger" WHERE "run_key" = '0a1b2c3d-42'
