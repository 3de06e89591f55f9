# What makes a new table in PostgreSQL what another one is: before rows come, and after them. Pure text.
"""`build_table_sql`, then the rows, then `build_fitting_sql`: columns first, and last what each row would have to be
put into. All of it happens to a table that nobody reads.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from pipekit.drivers.base import MergePlan, TableName
from pipekit.drivers.postgresql.names import quote_identifier, quote_table, quote_text
from pipekit.drivers.postgresql.rebuild import BUILD_MEMORY, build_belongings, build_comment
from pipekit.drivers.postgresql.swap.shape import Shape
from pipekit.drivers.postgresql.types import build_cast

# Everything that may wait until the rows are there, and what a copy would have a second of.
_LEFT_OUT = "EXCLUDING IDENTITY EXCLUDING INDEXES EXCLUDING CONSTRAINTS EXCLUDING STATISTICS"
_STORAGE = {"p": "PLAIN", "e": "EXTERNAL", "x": "EXTENDED", "m": "MAIN"}
_COMPRESSION = {"p": "pglz", "l": "lz4"}
# ANALYZE looks at as many values as its target times the columns: 100, the usual one, for 16 of them, less for more.
SAMPLED = 1600


def name_apart(staging: TableName, what: object) -> str:
    """A name that nothing else has, for what cannot have its own yet as the dest is there."""
    return f"pipekit.{sha256(staging.name.encode()).hexdigest()[:12]}.{what}"


def quote_apart(staging: TableName, what: object) -> str:
    """The same, in the staging schema."""
    return quote_table(TableName(schema=staging.schema, name=name_apart(staging, what)))


def list_options(shape: Shape) -> dict[str, str]:
    """The table's storage options and its hidden table's, by name."""
    texts = [*(shape.table["options"] or []), *(f"toast.{text}" for text in shape.table["toast"] or [])]
    return dict(text.split("=", 1) for text in texts)


def build_table_sql(plan: MergePlan, shape: Shape) -> tuple[str, ...]:
    """Drops what has the staging table's name and makes the new table, empty, with the dest's columns in their order.

    It is logged if the dest is, so that it need not be written again.
    """
    staging, table = quote_table(plan.staging), shape.table
    unlogged = "UNLOGGED " if table["persistence"] == "u" else ""
    options = {**list_options(shape), "autovacuum_enabled": "false"}
    told = ", ".join(f"{name} = {quote_text(value)}" for name, value in options.items())
    return (
        f"DROP TABLE IF EXISTS {staging}",
        f"SET LOCAL default_tablespace TO {quote_text(table['tablespace'])}",
        f"CREATE {unlogged}TABLE {staging} (LIKE {quote_table(plan.dest)} INCLUDING ALL {_LEFT_OUT})\n"
        f"USING {table['method']} WITH ({told})",
        *_build_columns(plan, shape),
    )


def _build_columns(plan: MergePlan, shape: Shape) -> Iterator[str]:
    """What is compared with the dest's type waits in its own. Numbers come from the dest's sequence, as others' do.

    The sequence is looked up by its name each time: a default that knew it would keep the dest from being dropped.
    """
    changes = []
    for sequence in shape.list("sequences"):
        if sequence["identity"]:
            name = quote_text(quote_table(TableName(schema=plan.dest.schema, name=sequence["name"])))
            value = f"pg_catalog.nextval(CAST(CAST({name} AS text) AS pg_catalog.regclass))"
            changes.append(f"ALTER COLUMN {quote_identifier(sequence['column'])} SET DEFAULT {value}")
    for column in plan.columns:
        if column.stage_type is not None:
            name = quote_identifier(column.dest.name)
            changes += [f"ALTER COLUMN {name} DROP DEFAULT", f"ALTER COLUMN {name} TYPE {column.stage_type} USING NULL"]
    if changes:
        yield f"ALTER TABLE {quote_table(plan.staging)} {', '.join(changes)}"


def build_fitting_sql(plan: MergePlan, shape: Shape) -> tuple[str, ...]:
    """Gives the loaded table the dest's types, constraints, indexes and statistics, in one transaction."""
    staging = quote_table(plan.staging)
    checks = [item for item in shape.list("constraints") if item["kind"] == "c"]
    added = [f"ADD CONSTRAINT {quote_identifier(item['name'])} {item['definition']}" for item in checks]
    return (
        *_build_types(plan, shape),
        *([f"ALTER TABLE {staging} {', '.join(added)}"] if added else []),
        *_build_settings(plan, shape),
        *_build_indexes(plan, shape),
        *_build_statistics(plan, shape),
        *build_known(plan, shape),
    )


def _build_types(plan: MergePlan, shape: Shape) -> Iterator[str]:
    """The types that values were compared with; all in one writing."""
    kept = {column["name"]: column for column in shape.list("columns")}
    changes = []
    for staged in plan.columns:
        if staged.stage_type is None:
            continue
        name, column = quote_identifier(staged.dest.name), kept[staged.dest.name]
        collation = f" COLLATE {column['collation']}" if column["collation"] else ""
        cast = build_cast(name, staged.stage_type, staged.dest.type)
        changes.append(f"ALTER COLUMN {name} TYPE {column['type']}{collation} USING {cast}")
    if not changes:
        return
    yield f"ALTER TABLE {quote_table(plan.staging)} {', '.join(changes)}"
    for staged in plan.columns:
        if staged.stage_type is not None:
            yield from _build_storage(plan, kept[staged.dest.name])


def _build_storage(plan: MergePlan, column: dict[str, Any]) -> Iterator[str]:
    """What a change of the type has taken away."""
    alter = f"ALTER TABLE {quote_table(plan.staging)} ALTER COLUMN {quote_identifier(column['name'])}"
    yield f"{alter} SET STORAGE {_STORAGE[column['storage']]}"
    if column["compression"] in _COMPRESSION:
        yield f"{alter} SET COMPRESSION {_COMPRESSION[column['compression']]}"
    if column["default"] is not None:
        yield f"{alter} SET DEFAULT {column['default']}"


def _build_settings(plan: MergePlan, shape: Shape) -> Iterator[str]:
    """What the planner was told of columns, and what people were told of constraints."""
    staging = quote_table(plan.staging)
    for column in shape.list("columns"):
        alter = f"ALTER TABLE {staging} ALTER COLUMN {quote_identifier(column['name'])}"
        if column["target"] is not None:
            yield f"{alter} SET STATISTICS {column['target']}"
        if column["options"]:
            told = (text.split("=", 1) for text in column["options"])
            yield f"{alter} SET ({', '.join(f'{name} = {value}' for name, value in told)})"
    for item in shape.list("constraints"):
        if item["comment"] is not None and item["kind"] != "f":
            yield build_comment("CONSTRAINT", f"{quote_identifier(item['name'])} ON {staging}", item["comment"])


def _build_indexes(plan: MergePlan, shape: Shape) -> Iterator[str]:
    if shape.list("indexes"):
        yield BUILD_MEMORY
    for number, index in enumerate(shape.list("indexes")):
        yield f"SET LOCAL default_tablespace TO {quote_text(index['tablespace'])}"
        yield from _build_index(plan, shape, index, number)
    if shape.list("indexes"):
        yield "SET LOCAL default_tablespace TO DEFAULT"


def _build_index(plan: MergePlan, shape: Shape, index: dict[str, Any], number: int) -> Iterator[str]:
    staging, own = quote_table(plan.staging), quote_identifier(name_apart(plan.staging, number))
    placed = quote_apart(plan.staging, number)
    add = f"ALTER TABLE {staging} ADD CONSTRAINT {own} "
    late = " DEFERRABLE" * bool(index["late"]) + " INITIALLY DEFERRED" * bool(index["deferred"])
    if index["kind"] == "x" or index["temporal"]:
        yield add + index["constraint"]
        if index["options"]:
            yield f"ALTER INDEX {placed} SET ({', '.join(index['options'])})"
    else:
        unique = "UNIQUE " if index["unique"] else ""
        yield f"CREATE {unique}INDEX {own} ON {staging}{_cut_index(shape, index)}"
        if index["kind"]:
            key = "PRIMARY KEY" if index["kind"] == "p" else "UNIQUE"
            yield f"{add}{key} USING INDEX {own}{late}"
    yield from build_belongings(staging, own, placed, index)


def _cut_index(shape: Shape, index: dict[str, Any]) -> str:
    """`USING btree (...) ...` of a definition: `CREATE INDEX name ON table USING btree (...) ...`."""
    text: str = index["definition"]
    start = f"CREATE {'UNIQUE ' if index['unique'] else ''}INDEX {index['called']} ON "
    tables = (shape.table["called"], shape.around["called"])
    return next(text.removeprefix(start + name) for name in tables if text.startswith(start + name + " "))


def _build_statistics(plan: MergePlan, shape: Shape) -> Iterator[str]:
    """Statistics that go beyond a column."""
    for number, item in enumerate(shape.list("statistics")):
        placed = quote_apart(plan.staging, f"s{number}")
        yield f"CREATE STATISTICS {placed} {_cut_statistics(shape, item)} FROM {quote_table(plan.staging)}"
        if item["target"] is not None:
            yield f"ALTER STATISTICS {placed} SET STATISTICS {item['target']}"
        if item["comment"] is not None:
            yield build_comment("STATISTICS", placed, item["comment"])


def _cut_statistics(shape: Shape, item: dict[str, Any]) -> str:
    """`(ndistinct) ON a, b` of `CREATE STATISTICS schema.name (ndistinct) ON a, b FROM t`."""
    text: str = item["definition"].removesuffix(f" FROM {shape.around['called']}")
    return text.removeprefix(f"CREATE STATISTICS {item['called']} ")


# -- what the planner knows of the rows --------------------------------------------------------------------------------

_OF_COLUMN = (
    ("null_frac", ""), ("avg_width", ""), ("n_distinct", ""), ("most_common_vals", "text"), ("most_common_freqs", ""),
    ("histogram_bounds", "text"), ("correlation", ""), ("most_common_elems", "text"), ("most_common_elem_freqs", ""),
    ("elem_count_histogram", ""), ("range_length_histogram", "text"), ("range_empty_frac", ""),
    ("range_bounds_histogram", "text"),
)  # fmt: skip
_RESTORED_SINCE = 180000


def build_known(plan: MergePlan, shape: Shape) -> Iterator[str]:
    """What the dest's planner knew; nothing where it knew nothing.

    From 18 on it is handed over, as after TRUNCATE. An older server, or statistics beyond a column, take a sample. Told
    the columns by name, ANALYZE does not count as the one that autovacuum waits for, so that a full one still comes.
    """
    if not shape.around["known"]:
        return
    if int(shape.around["version"]) >= _RESTORED_SINCE and not shape.list("statistics"):
        yield from _build_restored(plan, shape)
        return
    columns = shape.list("columns")
    names = ", ".join(quote_identifier(column["name"]) for column in columns)
    yield f"SET LOCAL default_statistics_target TO {max(10, min(100, SAMPLED // len(columns)))}"
    yield f"ANALYZE {quote_table(plan.staging)} ({names})"
    yield "SET LOCAL default_statistics_target TO DEFAULT"


def _build_restored(plan: MergePlan, shape: Shape) -> Iterator[str]:
    staging = plan.staging
    names = [(plan.dest.name, staging.name)]
    names += [(index["name"], name_apart(staging, number)) for number, index in enumerate(shape.list("indexes"))]
    pairs = ", ".join(f"({quote_text(old)}, {quote_text(new)})" for old, new in names)
    given = ",\n  ".join(f"'{name}', s.{name}" + (f"::{as_type}" if as_type else "") for name, as_type in _OF_COLUMN)
    yield (
        f"SELECT pg_catalog.count(pg_catalog.pg_restore_attribute_stats(\n"
        f"  'schemaname', {quote_text(staging.schema or '')}, 'relname', n.new, 'attname', s.attname::text,\n"
        f"  'inherited', s.inherited, {given}))\n"
        f"FROM pg_catalog.pg_stats AS s JOIN (VALUES {pairs}) AS n (old, new) ON s.tablename = n.old\n"
        f"WHERE s.schemaname = {quote_text(plan.dest.schema or '')}"
    )
