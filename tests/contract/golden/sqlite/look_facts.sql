SELECT m.type, l.type FROM sqlite_master m JOIN pragma_table_list l ON l.schema = 'main' AND l.name = m.name WHERE m.type IN ('table', 'view') AND m.name = 'it''s' COLLATE NOCASE
