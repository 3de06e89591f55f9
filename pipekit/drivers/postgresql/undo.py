# What a merge in PostgreSQL keeps of what it changes. Pure text; knows no connection.
"""Triggers on the dest, there for the merge's own transaction only, hand over each row that it touches.

So it does not matter by which statements the merge comes to it, nor what other triggers or foreign keys make of it. A
merge that replaces all rows keeps the table before and after it instead. Nobody else writes meanwhile: what making a
trigger locks, any writer waits for. Whoever owns the table may drop one; who may make one need not own it.
"""

from collections.abc import Sequence

from pipekit.drivers.base import MergePlan, TableName
from pipekit.drivers.facts import Keeping
from pipekit.drivers.postgresql.joins import name_dest
from pipekit.drivers.postgresql.names import quote_identifier, quote_table, quote_text
from pipekit.drivers.undoing import SIDE
from pipekit.runner_contract import Query, Statement

_OLD, _NEW = "pipekit_gone", "pipekit_came"
# (name, event, what it hands over); fired in the order of their names, behind those of others.
_TRIGGERS = (
    ("zz_pipekit_undo_delete", "DELETE", f"OLD TABLE AS {_OLD}"),
    ("zz_pipekit_undo_insert", "INSERT", f"NEW TABLE AS {_NEW}"),
    ("zz_pipekit_undo_update", "UPDATE", f"OLD TABLE AS {_OLD} NEW TABLE AS {_NEW}"),
)

# It writes with the rights of its owner, the run's own login: an action of a foreign key runs with the table owner's.
_FUNCTION = """\
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS
{body}"""
_BODY = """\
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO {images} SELECT -1, {columns} FROM {old};
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO {images} SELECT 1, {columns} FROM {new};
  END IF;
  RETURN NULL;
END"""

_UNKEPT = """\
SELECT CASE
  WHEN c.relkind = 'v' THEN 'it is a view'
  WHEN c.relkind = 'f' THEN 'it is a foreign table'
  WHEN EXISTS (SELECT FROM pg_catalog.pg_rewrite AS w WHERE w.ev_class = c.oid) THEN 'it has rules'
  WHEN EXISTS (SELECT FROM pg_catalog.pg_partition_tree(c.oid) AS p
    JOIN pg_catalog.pg_class AS f ON f.oid = p.relid AND f.relkind = 'f') THEN 'a partition of it is a foreign table'
  WHEN {whole} THEN ''
  WHEN NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN 'the login does not own it'
  WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_language AS l WHERE l.lanname = 'plpgsql'
    AND pg_catalog.has_language_privilege(l.oid, 'USAGE')) THEN 'the login may not use the language plpgsql'
  ELSE '' END
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = {schema} AND c.relname = {table}"""


def find_unkept(query: Query, plan: MergePlan, keeping: Keeping) -> str:
    """Why nothing can be kept of what is changed in a dest that is there; `""` when it can."""
    schema, table = quote_text(plan.dest.schema or ""), quote_text(plan.dest.name)
    whole = "true" if keeping.whole else "false"
    return query(_UNKEPT.format(schema=schema, table=table, whole=whole)).first_cell() or ""


def build_begin(plan: MergePlan) -> tuple[Statement, ...]:
    """In front of the merge's statements, and with the lock that they will want, so that nobody stands between."""
    if plan.undo is None:
        return ()
    mode = "ACCESS EXCLUSIVE" if plan.undo.whole and plan.can_truncate else "SHARE ROW EXCLUSIVE"
    lock = Statement(sql=f"LOCK TABLE {name_dest(plan)} IN {mode} MODE")
    if plan.undo.whole:
        return (lock, *build_images(plan), build_copy(plan, plan.undo, -1, name_dest(plan)))
    return (lock, *build_images(plan), *_build_triggers(plan.dest, plan.undo))


def build_end(plan: MergePlan) -> tuple[Statement, ...]:
    """Behind them; a trigger can be dropped when nothing that fires late is due any more."""
    if plan.undo is None:
        return ()
    if plan.undo.whole:
        return (build_copy(plan, plan.undo, 1, name_dest(plan)), *build_counts(plan.undo))
    dest = quote_table(plan.dest)
    return (
        Statement(sql="SET CONSTRAINTS ALL IMMEDIATE"),
        *(Statement(sql=f"DROP TRIGGER {name} ON {dest}") for name, _, _ in _TRIGGERS),
        Statement(sql=f"DROP FUNCTION {_name_function(plan.undo)}()"),
        *build_counts(plan.undo),
    )


def build_images(plan: MergePlan) -> tuple[Statement, ...]:
    """The table, empty, with the types of the dest's own columns. It is logged: a crash must not empty it."""
    keeping = plan.undo
    assert keeping is not None
    images = quote_table(keeping.images)
    columns = list_columns(keeping.names)
    create = (
        f"CREATE TABLE {images} AS\nSELECT CAST(0 AS smallint) AS {SIDE}, {columns}\nFROM {quote_table(plan.dest)}\n"
        "WITH NO DATA"
    )
    return (
        Statement(sql=create),
        Statement(sql=f"COMMENT ON TABLE {images} IS {quote_text(keeping.note)}"),
    )


def build_copy(plan: MergePlan, keeping: Keeping, side: int, table: str) -> Statement:
    """All rows of a table that has the dest's columns."""
    columns = list_columns(keeping.names)
    return Statement(sql=f"INSERT INTO {quote_table(keeping.images)}\nSELECT {side}, {columns}\nFROM {table}")


def build_counts(keeping: Keeping) -> tuple[Statement, ...]:
    """How much is kept."""
    images = quote_table(keeping.images)
    size = f"SELECT pg_catalog.pg_total_relation_size({quote_text(images)})"
    return (
        Statement(sql=f"SELECT pg_catalog.count(*) FROM {images}", name="kept", value=True),
        Statement(sql=size, name="kept bytes", value=True),
    )


def list_columns(names: Sequence[str], alias: str = "") -> str:
    """Columns by name, of a table that may have an alias."""
    before = f"{alias}." if alias else ""
    return ", ".join(f"{before}{quote_identifier(name)}" for name in names)


def _build_triggers(dest: TableName, keeping: Keeping) -> tuple[Statement, ...]:
    images, function = quote_table(keeping.images), _name_function(keeping)
    body = _BODY.format(images=images, columns=list_columns(keeping.names), old=_OLD, new=_NEW)
    return (
        Statement(sql=_FUNCTION.format(name=function, body=quote_text(body))),
        *(
            Statement(
                sql=f"CREATE TRIGGER {name} AFTER {event} ON {quote_table(dest)} REFERENCING {handed}\n"
                f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            )
            for name, event, handed in _TRIGGERS
        ),
    )


def _name_function(keeping: Keeping) -> str:
    return quote_table(keeping.images)
