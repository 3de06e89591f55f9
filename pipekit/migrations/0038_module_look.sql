-- What was seen of a module's dest and of the tables its query reads, and when: the page of a module asks no database.
CREATE TABLE module_look (
    module_id    INTEGER PRIMARY KEY REFERENCES module (id) ON DELETE CASCADE,
    at           TEXT NOT NULL,
    -- A digest of what was asked: query, tables and connections as they were.
    asked        TEXT NOT NULL,
    columns_json TEXT NOT NULL,
    -- [[schema, name], ...]; NULL where the source's kind does not tell.
    tables_json  TEXT,
    problem      TEXT
) STRICT;
