-- Code pages of a module's source columns, and what {name} stands for in the modules of a connection.

ALTER TABLE module ADD COLUMN translate TEXT NOT NULL DEFAULT '';

ALTER TABLE connection ADD COLUMN variables TEXT NOT NULL DEFAULT '';
