SELECT m.name, m.type FROM sqlite_master m WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND substr(m.name, 1, 16) <> 'pipekit_staging.' ORDER BY 1
