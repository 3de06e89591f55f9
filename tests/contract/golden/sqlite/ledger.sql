-- ledger
INSERT OR IGNORE INTO "pipekit_staging.pipekit_ledger" (run_key, run_id, module, fence, rows, state, committed_at)
SELECT '0a1b2c3d-42', 42, 'it''s orders', 7, 1000, 'merged', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
WHERE NOT EXISTS (SELECT 1 FROM "pipekit_staging.pipekit_ledger" WHERE module = 'it''s orders' AND fence > 7);
