INSERT INTO "pipekit_staging"."pipekit_ledger" (run_key, run_id, module, fence, rows, state)
SELECT '0a1b2c3d-42', 42, 'it''s orders', 7, NULL, 'fenced'
ON CONFLICT (run_key) DO NOTHING
