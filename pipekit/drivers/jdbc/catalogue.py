# What a database says of its tables through its JDBC driver's own catalogue. Asks with `query`, knows no connection.
"""Schemas, tables and columns over `DatabaseMetaData`; `asking` builds the questions."""

from collections.abc import Callable
from dataclasses import replace

from pipekit.drivers.base import TableColumn, TableFacts, TableInfo, TableName
from pipekit.drivers.jdbc.asking import build_ask
from pipekit.drivers.jdbc.product import Fold, Product
from pipekit.drivers.jdbc.types import from_neutral, parse_type, to_neutral
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Query, ResultColumn

_SYSTEM = """
    information_schema pg_catalog pg_toast sys syscat syscs_diag syscs_util sysfun sysibm sysproc sysstat sqlj nullid
    system_lobs performance_schema mysql sysibmadm sysibminternal sysibmts systools syspublic
    db_owner db_accessadmin db_securityadmin db_ddladmin db_backupoperator db_datareader db_datawriter db_denydatareader
    db_denydatawriter guest
"""
_SYSTEM_SCHEMAS = frozenset(_SYSTEM.split())

_CLOCKS = frozenset({"time", "timetz", "timestamp", "timestamptz"})

Row = dict[str, str | None]


def ask(query: Query, word: str, *arguments: str | None) -> list[Row]:
    """Rows of an answer, each by column name."""
    result = query(build_ask(word, *arguments))
    names = [column.name for column in result.columns]
    return [dict(zip(names, row, strict=True)) for row in result.rows]


def list_schemas(query: Query, staging_schema: str) -> list[str]:
    """Schemas a person may want."""
    names = [row["schema"] or "" for row in ask(query, "schemas")]
    hidden = {*_SYSTEM_SCHEMAS, staging_schema.lower()}
    return [name for name in names if name and name.lower() not in hidden]


def list_tables(query: Query, schema: str) -> list[TableInfo]:
    """Tables and views of a schema by name."""
    found = [
        TableInfo(
            schema=row["schema"] or schema,
            name=row["name"] or "",
            is_view="VIEW" in (row["type"] or "").upper(),
            comment=row["remarks"] or None,
        )
        for row in ask(query, "tables", schema)
    ]
    return sorted(found, key=lambda table: table.name)


def get_columns(query: Query, product: Product, table: TableName, literal: Callable[[str], str]) -> list[TableColumn]:
    """A table's columns in order, spelled as the product spells them; none when there is no such table."""
    schema = find_schema(query, table)
    rows = ask(query, "columns", schema, table.name)
    if not rows:
        return []
    keys = {row["name"] for row in ask(query, "primary-key", schema, table.name)}
    collations: dict[str | None, str] = {}
    if product.collations_sql:
        found = query(product.collations_sql.format(schema=literal(schema or ""), table=literal(table.name))).rows
        collations = {name: f" COLLATE {collation}" for name, collation in found}
    columns = [_read_column(product, row, row["name"] in keys) for row in rows]
    return [replace(column, type=column.type + collations.get(column.name, "")) for column in columns]


def column_inventory(query: Query, product: Product, schema: str) -> dict[str, list[TableColumn]]:
    """The columns of every table of a schema."""
    found: dict[str, list[TableColumn]] = {}
    for row in ask(query, "columns", schema, None):
        found.setdefault(row["table"] or "", []).append(_read_column(product, row, False))
    return found


def get_table_facts(query: Query, table: TableName) -> TableFacts:
    """Whether there is such a table, and whether it is a view."""
    found = list_named(query, find_schema(query, table), table.name)
    if not found:
        return TableFacts(exists=False)
    kind = (found[0]["type"] or "").upper()
    problem = f"{table} is a view; rows are written to tables" if "VIEW" in kind else ""
    return TableFacts(exists=True, problem=problem)


def list_named(query: Query, schema: str | None, name: str) -> list[Row]:
    """The tables and views of exactly this name in a schema."""
    return [row for row in ask(query, "tables", schema, name) if row["name"] == name]


def find_alike(query: Query, case_blind_sql: str, schema: str | None, name: str) -> str | None:
    """The name in its own letters where the database takes names for equal that differ in case, and one table fits."""
    try:
        is_blind = (query(case_blind_sql).first_cell() or "").lower() == "true"
    except StatementFailed:  # a version whose catalogue has other names
        is_blind = False
    if not is_blind:
        return None
    names = [row["name"] or "" for row in ask(query, "tables", schema)]
    alike = [one for one in names if one.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def find_named(query: Query, named_sql: str, name: str) -> TableName | None:
    """The table that the product's own SQL finds by a name, which is given as it stands in a literal."""
    rows = query(named_sql.format(name=name)).rows
    return TableName(schema=rows[0][0], name=rows[0][1] or "") if rows else None


def find_schema(query: Query, table: TableName) -> str | None:
    """The table's schema; the session's own where it names none. None where the database has no schemas."""
    return table.schema if table.schema is not None else find_session_schema(query)


def find_session_schema(query: Query, schema_sql: str = "") -> str | None:
    """The schema of names without one, by the product's own SQL where it has some, else as its driver tells."""
    if schema_sql:
        return query(schema_sql).first_cell()
    return _ask_database(query).get("schema") or None


def find_fold(query: Query, usual: Fold) -> Fold:
    """How the database folds names that stand without quotes, as its driver tells."""
    told = _ask_database(query)
    folds: dict[str, Fold] = {"upper_names": "upper", "lower_names": "lower", "mixed_names": "keep"}
    return next((fold for word, fold in folds.items() if told.get(word) == "true"), usual)


def _ask_database(query: Query) -> dict[str | None, str | None]:
    return {row["name"]: row["value"] for row in ask(query, "database")}


def describe_query(query: Query, sql: str) -> list[ResultColumn]:
    """A query's columns; it is prepared and not run."""
    return [ResultColumn(name=row["name"] or "", type=row["type"] or "") for row in ask(query, "describe", sql)]


def spell(product: Product, jdbc_type: str, type_name: str = "") -> str:
    """A type as JDBC names it in the product's own words; one that only the product knows keeps its name."""
    neutral = to_neutral(jdbc_type)
    if neutral.name == "other":
        return type_name or jdbc_type
    return from_neutral(neutral, product.spellings)


def _spell_column(product: Product, row: Row) -> str:
    """A type that changes no value which the column itself would keep, and keeps none which it would change."""
    type_text, name = row["type"] or "", row["type_name"] or ""
    if name.upper() in product.own_names or name.upper().startswith("INTERVAL"):
        length = type_text[type_text.index("(") :] if "(" in type_text and "VARCHAR" in name else ""
        return name + length
    neutral = to_neutral(type_text)
    if neutral.name in _CLOCKS and product.compares:
        return from_neutral(replace(neutral, precision=_count_digits(product, row)), product.spellings)
    if parse_type(type_text).base == "BINARY" and neutral.length and product.spellings.fixed_bytes:
        return product.spellings.fixed_bytes.format(n=neutral.length)
    return spell(product, type_text, name)


def _count_digits(product: Product, row: Row) -> int | None:
    """Of the seconds of a time: `19:00:00.123` is four characters longer than one without any."""
    if row["digits"] is not None or not product.sized_clocks:
        return None if row["digits"] is None else int(row["digits"])
    name = (row["type_name"] or "").upper()
    whole = (8 if name.startswith("TIME ") or name == "TIME" else 19) + (6 if "ZONE" in name else 0)
    return max(0, int(row["size"] or 0) - whole - 1)


def _read_column(product: Product, row: Row, in_key: bool) -> TableColumn:
    return TableColumn(
        name=row["name"] or "",
        type=_spell_column(product, row),
        nullable=row["nullable"] != "false",
        has_default=row["default"] is not None or row["autoincrement"] == "true",
        generated=row["generated"] == "true",
        identity=product.overrides and row["autoincrement"] == "true",
        in_key=in_key,
        comment=row["remarks"] or None,
    )
