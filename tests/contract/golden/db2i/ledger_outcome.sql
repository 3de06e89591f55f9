SELECT "state" FROM "PIPEKIT"."pipekit_ledger" WHERE "run_key" = '0a1b2c3d-42'
