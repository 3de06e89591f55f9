SELECT pg_catalog.pg_advisory_xact_lock(1886087540, pg_catalog.hashtext('it''s orders'));
-- ledger
INSERT INTO "pipekit_staging"."pipekit_ledger" (run_key, run_id, module, fence, rows, state)
SELECT '0a1b2c3d-42', 42, 'it''s orders', 7, 1000, 'merged'
WHERE NOT EXISTS (SELECT FROM "pipekit_staging"."pipekit_ledger" WHERE module = 'it''s orders' AND fence > 7)
ON CONFLICT (run_key) DO NOTHING;
