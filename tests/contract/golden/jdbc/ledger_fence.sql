INSERT INTO "pipekit_staging"."pipekit_ledger" ("run_key", "run_id", "module", "fence", "rows", "state", "committed_at")
SELECT '0a1b2c3d-42', 42, 'it''s orders', 7, CAST(NULL AS BIGINT), 'fenced', CURRENT_TIMESTAMP FROM (VALUES (1)) AS one (x)
WHERE NOT EXISTS (SELECT 1 FROM "pipekit_staging"."pipekit_ledger" WHERE "run_key" = '0a1b2c3d-42')
