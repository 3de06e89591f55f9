CREATE TABLE temp."pipekit_staging.pipekit_undo.0a1b2c3d-42.net" (pipekit_side INTEGER, "id" INTEGER, "line" INTEGER, "amount" DECIMAL(12,2), "odd ""name""" TEXT, "at" TIMESTAMP, pipekit_row TEXT);
INSERT INTO temp."pipekit_staging.pipekit_undo.0a1b2c3d-42.net" SELECT k.pipekit_side, k."id", k."line", k."amount", k."odd ""name""", k."at", k.pipekit_row
FROM (
  SELECT k.*, sum(k.pipekit_side) OVER (PARTITION BY k.pipekit_row) AS pipekit_sum,
    row_number() OVER (PARTITION BY k.pipekit_row, k.pipekit_side) AS pipekit_number
  FROM (SELECT k.*, CASE typeof(k."id") WHEN 'text' THEN 't' || hex(k."id") WHEN 'blob' THEN 'b' || hex(k."id") ELSE quote(k."id") END || ',' || CASE typeof(k."line") WHEN 'text' THEN 't' || hex(k."line") WHEN 'blob' THEN 'b' || hex(k."line") ELSE quote(k."line") END || ',' || CASE typeof(k."amount") WHEN 'text' THEN 't' || hex(k."amount") WHEN 'blob' THEN 'b' || hex(k."amount") ELSE quote(k."amount") END || ',' || CASE typeof(k."odd ""name""") WHEN 'text' THEN 't' || hex(k."odd ""name""") WHEN 'blob' THEN 'b' || hex(k."odd ""name""") ELSE quote(k."odd ""name""") END || ',' || CASE typeof(k."at") WHEN 'text' THEN 't' || hex(k."at") WHEN 'blob' THEN 'b' || hex(k."at") ELSE quote(k."at") END AS pipekit_row FROM "pipekit_staging.pipekit_undo.0a1b2c3d-42" AS k) AS k
) AS k
WHERE k.pipekit_sum * k.pipekit_side >= k.pipekit_number;
-- gone (first cell)
SELECT count(*) FROM temp."pipekit_staging.pipekit_undo.0a1b2c3d-42.net" AS k WHERE k.pipekit_side = 1;
-- back (first cell)
SELECT count(*) FROM temp."pipekit_staging.pipekit_undo.0a1b2c3d-42.net" AS k WHERE k.pipekit_side = -1;
-- The dest's rows are no longer as the run left them (first cell)
SELECT count(*) FROM (
SELECT (SELECT 'id = ' || quote(k."id") || ', ' || 'line = ' || quote(k."line") || ', ' || 'amount = ' || quote(k."amount") || ', ' || 'odd "name" = ' || quote(k."odd ""name""") || ', ' || 'at = ' || quote(k."at") FROM temp."pipekit_staging.pipekit_undo.0a1b2c3d-42.net" AS k WHERE k.pipekit_row = a.pipekit_row LIMIT 1) AS example
FROM (SELECT k.pipekit_row, count(*) AS number FROM temp."pipekit_staging.pipekit_undo.0a1b2c3d-42.net" AS k WHERE k.pipekit_side = 1 GROUP BY 1) AS a
LEFT JOIN (SELECT CASE typeof(d."id") WHEN 'text' THEN 't' || hex(d."id") WHEN 'blob' THEN 'b' || hex(d."id") ELSE quote(d."id") END || ',' || CASE typeof(d."line") WHEN 'text' THEN 't' || hex(d."line") WHEN 'blob' THEN 'b' || hex(d."line") ELSE quote(d."line") END || ',' || CASE typeof(d."amount") WHEN 'text' THEN 't' || hex(d."amount") WHEN 'blob' THEN 'b' || hex(d."amount") ELSE quote(d."amount") END || ',' || CASE typeof(d."odd ""name""") WHEN 'text' THEN 't' || hex(d."odd ""name""") WHEN 'blob' THEN 'b' || hex(d."odd ""name""") ELSE quote(d."odd ""name""") END || ',' || CASE typeof(d."at") WHEN 'text' THEN 't' || hex(d."at") WHEN 'blob' THEN 'b' || hex(d."at") ELSE quote(d."at") END AS held, count(*) AS number FROM main."orders" AS d GROUP BY 1) AS h
  ON h.held = a.pipekit_row
WHERE coalesce(h.number, 0) < a.number
);
-- deleted
DELETE FROM main."orders" WHERE rowid IN (
  SELECT i.place FROM (
    SELECT d.rowid AS place, CASE typeof(d."id") WHEN 'text' THEN 't' || hex(d."id") WHEN 'blob' THEN 'b' || hex(d."id") ELSE quote(d."id") END || ',' || CASE typeof(d."line") WHEN 'text' THEN 't' || hex(d."line") WHEN 'blob' THEN 'b' || hex(d."line") ELSE quote(d."line") END || ',' || CASE typeof(d."amount") WHEN 'text' THEN 't' || hex(d."amount") WHEN 'blob' THEN 'b' || hex(d."amount") ELSE quote(d."amount") END || ',' || CASE typeof(d."odd ""name""") WHEN 'text' THEN 't' || hex(d."odd ""name""") WHEN 'blob' THEN 'b' || hex(d."odd ""name""") ELSE quote(d."odd ""name""") END || ',' || CASE typeof(d."at") WHEN 'text' THEN 't' || hex(d."at") WHEN 'blob' THEN 'b' || hex(d."at") ELSE quote(d."at") END AS held,
      row_number() OVER (PARTITION BY CASE typeof(d."id") WHEN 'text' THEN 't' || hex(d."id") WHEN 'blob' THEN 'b' || hex(d."id") ELSE quote(d."id") END || ',' || CASE typeof(d."line") WHEN 'text' THEN 't' || hex(d."line") WHEN 'blob' THEN 'b' || hex(d."line") ELSE quote(d."line") END || ',' || CASE typeof(d."amount") WHEN 'text' THEN 't' || hex(d."amount") WHEN 'blob' THEN 'b' || hex(d."amount") ELSE quote(d."amount") END || ',' || CASE typeof(d."odd ""name""") WHEN 'text' THEN 't' || hex(d."odd ""name""") WHEN 'blob' THEN 'b' || hex(d."odd ""name""") ELSE quote(d."odd ""name""") END || ',' || CASE typeof(d."at") WHEN 'text' THEN 't' || hex(d."at") WHEN 'blob' THEN 'b' || hex(d."at") ELSE quote(d."at") END) AS number
    FROM main."orders" AS d
  ) AS i JOIN (
    SELECT k.pipekit_row, count(*) AS number FROM temp."pipekit_staging.pipekit_undo.0a1b2c3d-42.net" AS k WHERE k.pipekit_side = 1 GROUP BY 1
  ) AS a ON a.pipekit_row = i.held AND i.number <= a.number
);
-- inserted
INSERT OR ABORT INTO main."orders" ("id", "line", "amount", "odd ""name""", "at")
SELECT b."id", b."line", b."amount", b."odd ""name""", b."at" FROM temp."pipekit_staging.pipekit_undo.0a1b2c3d-42.net" AS b WHERE b.pipekit_side = -1;
-- After it the dest's rows would not be what they were (first cell)
SELECT count(*) FROM (
SELECT (SELECT 'id = ' || quote(k."id") || ', ' || 'line = ' || quote(k."line") || ', ' || 'amount = ' || quote(k."amount") || ', ' || 'odd "name" = ' || quote(k."odd ""name""") || ', ' || 'at = ' || quote(k."at") FROM temp."pipekit_staging.pipekit_undo.0a1b2c3d-42.net" AS k WHERE k.pipekit_row = a.pipekit_row LIMIT 1) AS example
FROM (SELECT k.pipekit_row, count(*) AS number FROM temp."pipekit_staging.pipekit_undo.0a1b2c3d-42.net" AS k WHERE k.pipekit_side = -1 GROUP BY 1) AS a
LEFT JOIN (SELECT CASE typeof(d."id") WHEN 'text' THEN 't' || hex(d."id") WHEN 'blob' THEN 'b' || hex(d."id") ELSE quote(d."id") END || ',' || CASE typeof(d."line") WHEN 'text' THEN 't' || hex(d."line") WHEN 'blob' THEN 'b' || hex(d."line") ELSE quote(d."line") END || ',' || CASE typeof(d."amount") WHEN 'text' THEN 't' || hex(d."amount") WHEN 'blob' THEN 'b' || hex(d."amount") ELSE quote(d."amount") END || ',' || CASE typeof(d."odd ""name""") WHEN 'text' THEN 't' || hex(d."odd ""name""") WHEN 'blob' THEN 'b' || hex(d."odd ""name""") ELSE quote(d."odd ""name""") END || ',' || CASE typeof(d."at") WHEN 'text' THEN 't' || hex(d."at") WHEN 'blob' THEN 'b' || hex(d."at") ELSE quote(d."at") END AS held, count(*) AS number FROM main."orders" AS d GROUP BY 1) AS h
  ON h.held = a.pipekit_row
WHERE coalesce(h.number, 0) < a.number
);
DROP TABLE temp."pipekit_staging.pipekit_undo.0a1b2c3d-42.net";
DROP TABLE "pipekit_staging.pipekit_undo.0a1b2c3d-42";
