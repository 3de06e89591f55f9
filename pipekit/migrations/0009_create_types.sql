-- Whether enums that the dest lacks are made with the table, where both sides are PostgreSQL.

ALTER TABLE module ADD COLUMN create_types INTEGER NOT NULL DEFAULT 0;
