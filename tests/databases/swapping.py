# A table of PostgreSQL with everything that a table may have, and photographs of it. Knows no run.
"""`ODD`, which makes it, and `photograph`, which asks pg_dump and the catalogue what it is."""

from typing import Any

import psycopg

from pipekit.demo.postgres import LocalPostgres
from pipekit.runner.process import run_program

ROLES = ("swap_reader", '"Swap Writer"', "swap_owner")
TABLE = "rpt.\"Odd 't' $pipekit$ {x}\""
ODD = rf"""
CREATE SCHEMA rpt;
CREATE TABLE rpt.parent (id integer PRIMARY KEY);
INSERT INTO rpt.parent SELECT generate_series(1, 20);
CREATE FUNCTION rpt.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE DOMAIN rpt.code AS varchar(10) COLLATE "C" CHECK (VALUE <> '');
CREATE TABLE {TABLE} (
  gone integer,
  id bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME rpt."num$1" START 100 INCREMENT 5 CACHE 3) NOT NULL,
  n integer NOT NULL DEFAULT 7,
  s serial,
  p integer CONSTRAINT "to parent" REFERENCES rpt.parent ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
  up bigint,
  txt text COLLATE "C" DEFAULT 'it''s',
  c rpt.code,
  "Num" numeric(12,2) CONSTRAINT "not neg" CHECK ("Num" >= 0),
  twice integer GENERATED ALWAYS AS (n * 2) STORED,
  r int4range,
  wide text,
  CONSTRAINT "Key" PRIMARY KEY (id) INCLUDE (n) WITH (fillfactor = 71),
  CONSTRAINT both_ UNIQUE NULLS NOT DISTINCT (n, txt) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT apart EXCLUDE USING gist (r WITH &&) WITH (fillfactor = 55) WHERE (n > 0),
  CONSTRAINT mother FOREIGN KEY (up) REFERENCES {TABLE} ON UPDATE CASCADE,
  CONSTRAINT later CHECK (n < 1000000) NOT VALID
) WITH (fillfactor = 80, autovacuum_vacuum_threshold = 77, toast.autovacuum_vacuum_threshold = 99);
ALTER TABLE {TABLE} DROP COLUMN gone;
ALTER TABLE {TABLE} ADD CONSTRAINT plain_null CHECK (txt IS NOT NULL) NO INHERIT;
ALTER TABLE {TABLE} ALTER wide SET STORAGE EXTERNAL, ALTER txt SET STATISTICS 321, ALTER n SET (n_distinct = -0.5),
  ALTER wide SET COMPRESSION pglz;
CREATE INDEX "by low" ON {TABLE} (lower(txt) text_pattern_ops DESC NULLS LAST) WHERE n > 3;
ALTER INDEX rpt."by low" ALTER COLUMN 1 SET STATISTICS 555;
CREATE INDEX words ON {TABLE} USING gin (to_tsvector('simple', wide)) WITH (fastupdate = off);
CREATE UNIQUE INDEX bare ON {TABLE} (s);
CREATE INDEX brn ON {TABLE} USING brin (n) WITH (pages_per_range = 7);
ALTER TABLE {TABLE} CLUSTER ON bare;
ALTER TABLE {TABLE} REPLICA IDENTITY USING INDEX bare;
CREATE STATISTICS rpt.both_stat (ndistinct, mcv) ON n, txt FROM {TABLE};
ALTER STATISTICS rpt.both_stat SET STATISTICS 99;
CREATE STATISTICS public.ex ON (n * 2), lower(txt) FROM {TABLE};
CREATE TRIGGER "on upd" BEFORE UPDATE OF n ON {TABLE}
  FOR EACH ROW WHEN (OLD.n > 3) EXECUTE FUNCTION rpt.note('a''b');
CREATE TRIGGER audit AFTER INSERT OR DELETE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION rpt.note();
CREATE TRIGGER off BEFORE INSERT ON {TABLE} FOR EACH ROW EXECUTE FUNCTION rpt.note();
CREATE TRIGGER moved AFTER UPDATE ON {TABLE} REFERENCING OLD TABLE AS o NEW TABLE AS n
  FOR EACH STATEMENT EXECUTE FUNCTION rpt.note();
CREATE CONSTRAINT TRIGGER checks AFTER UPDATE ON {TABLE} FROM rpt.parent DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION rpt.note();
ALTER TABLE {TABLE} DISABLE TRIGGER off;
ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER "on upd";
ALTER TABLE {TABLE} ENABLE REPLICA TRIGGER checks;
COMMENT ON TABLE {TABLE} IS 'odd $pipekit$ table';
COMMENT ON COLUMN {TABLE}.txt IS 'a text';
COMMENT ON SEQUENCE rpt."num$1" IS 'numbers';
COMMENT ON INDEX rpt."by low" IS 'an index''s';
COMMENT ON INDEX rpt."Key" IS 'its index';
COMMENT ON CONSTRAINT "Key" ON {TABLE} IS 'key';
COMMENT ON CONSTRAINT "not neg" ON {TABLE} IS 'check';
COMMENT ON CONSTRAINT mother ON {TABLE} IS 'foreign';
COMMENT ON STATISTICS rpt.both_stat IS 'beyond';
COMMENT ON TRIGGER audit ON {TABLE} IS 'fires';
GRANT SELECT ON {TABLE} TO swap_reader, PUBLIC;
GRANT UPDATE (txt, n) ON {TABLE} TO "Swap Writer" WITH GRANT OPTION;
GRANT INSERT, DELETE ON {TABLE} TO "Swap Writer" WITH GRANT OPTION;
GRANT USAGE ON SEQUENCE rpt."num$1" TO swap_reader;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO swap_reader;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO swap_reader;
ALTER TABLE {TABLE} OWNER TO swap_owner;
REVOKE TRIGGER ON {TABLE} FROM swap_owner;
INSERT INTO {TABLE} (n, txt, p) SELECT i, 't' || i, i FROM generate_series(1, 20) AS i;
"""

_NUMBERS = [
    *("oid", "attrelid", "relfilenode", "reltype", "reltoastrelid", "relpages", "reltuples", "relallvisible"),
    *("relallfrozen", "relfrozenxid", "relminmxid", "relnatts", "attnum", "attmissingval", "indexrelid", "indrelid"),
    *("indkey", "indexprs", "indpred", "conrelid", "conindid", "confrelid", "conkey", "confkey", "conbin"),
    *("tgrelid", "tgconstrindid", "tgconstraint", "tgattr", "tgqual", "stxrelid", "stxkeys", "stxexprs"),
    *("attoptions", "atthasmissing"),
]
# Each catalogue's rows of the table as they stand there, but for numbers; expressions are pg_dump's to tell.
_ROWS = {
    "pg_class": "x.oid = {t} OR x.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = {t})"
    " OR x.oid IN (SELECT objid FROM pg_depend WHERE refobjid = {t} AND deptype IN ('a', 'i')"
    " AND classid = 1259) AND x.relkind <> 't'",
    "pg_attribute": "x.attrelid = {t} AND NOT x.attisdropped"
    " OR x.attrelid IN (SELECT indexrelid FROM pg_index WHERE indrelid = {t})",
    "pg_index": "x.indrelid = {t}",
    "pg_constraint": "x.conrelid = {t}",
    "pg_trigger": "x.tgrelid = {t} AND NOT x.tgisinternal",
    "pg_statistic_ext": "x.stxrelid = {t}",
}


def photograph(server: LocalPostgres, database: str, table: str) -> list[str]:
    """Lines of pg_dump, and rows of the catalogue."""
    login = ["-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-d", database]
    dump = [str(server.psql_path.with_name("pg_dump")), *login, "-s", "-N", "pipekit_staging"]
    done = run_program(dump, timeout_s=60)
    assert done.code == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]
    for name, where in _ROWS.items():
        chosen = where.format(t="CAST(%(table)s AS regclass)")
        sql = (
            f"SELECT CAST(to_jsonb(x) - CAST(%(numbers)s AS text[]) AS text) FROM {name} AS x WHERE {chosen} ORDER BY 1"
        )
        lines += [f"{name}: {row[0]}" for row in ask(server, database, sql, table=table, numbers=_NUMBERS)]
    return lines


def ask(server: LocalPostgres, database: str, sql: str, **values: Any) -> list[tuple[Any, ...]]:
    """Rows of a query, in a session of its own."""
    with psycopg.connect(host="127.0.0.1", port=server.port, user="postgres", dbname=database) as connection:
        return connection.execute(sql, values or None).fetchall()
