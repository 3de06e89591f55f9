-- What somebody who meets a module should know of it.

ALTER TABLE module ADD COLUMN notes TEXT NOT NULL DEFAULT '';
