INSERT OR IGNORE INTO "pipekit_staging.pipekit_ledger" (run_key, run_id, module, fence, rows, state, committed_at)
SELECT '0a1b2c3d-42', 42, 'it''s orders', 7, NULL, 'fenced', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
