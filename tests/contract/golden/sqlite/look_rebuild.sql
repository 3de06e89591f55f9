SELECT name, sql FROM main.sqlite_master
WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = 'it''s' COLLATE NOCASE ORDER BY rowid
