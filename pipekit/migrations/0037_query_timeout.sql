-- How long a statement of a module's source may take, as its database is told.

ALTER TABLE module ADD COLUMN query_timeout_s INTEGER;
