INSERT INTO "pipekit_staging"."pipekit_ledger" ("run_key", "run_id", "module", "fence", "rows", "state", "committed_at")
SELECT 'lock:it''s orders', 0, 'it''s orders', 0, 0, 'lock', CURRENT_TIMESTAMP FROM (VALUES (1)) AS one (x)
WHERE NOT EXISTS (SELECT 1 FROM "pipekit_staging"."pipekit_ledger" WHERE "run_key" = 'lock:it''s orders');
UPDATE "pipekit_staging"."pipekit_ledger" SET "rows" = 0 WHERE "run_key" = 'lock:it''s orders';
-- ledger
INSERT INTO "pipekit_staging"."pipekit_ledger" ("run_key", "run_id", "module", "fence", "rows", "state", "committed_at")
SELECT '0a1b2c3d-42', 42, 'it''s orders', 7, 1000, 'merged', CURRENT_TIMESTAMP FROM (VALUES (1)) AS one (x)
WHERE NOT EXISTS (SELECT 1 FROM "pipekit_staging"."pipekit_ledger" WHERE "run_key" = '0a1b2c3d-42')
  AND NOT EXISTS (SELECT 1 FROM "pipekit_staging"."pipekit_ledger" WHERE "module" = 'it''s orders' AND "fence" > 7);
