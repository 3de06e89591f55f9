SELECT count(*), min(keys.example) FROM (SELECT 'id = ' || quote(staging."id") AS example FROM "pipekit_staging.load.orders" AS staging GROUP BY staging."id" HAVING count(*) > 1) AS keys
