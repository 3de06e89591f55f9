# What MySQL and MariaDB say of their tables in information_schema. Asks with `query`, knows no connection.
"""Databases, tables, columns, and what a dest table can promise.

JDBC's own catalogue tells a type by its code, which is too little here: staging must have the very type, character set
and collation of the dest. Names are compared as the server compares them (`lower_case_table_names`).
"""

import re
from collections.abc import Callable, Sequence

from pipekit.drivers.base import TableColumn, TableFacts, TableInfo, TableName
from pipekit.drivers.facts import Firing
from pipekit.drivers.jdbc.around import Row as ReferenceRow
from pipekit.drivers.jdbc.around import gather_references, read_events
from pipekit.runner_contract import Query

Literal = Callable[[str], str]
Row = tuple[str | None, ...]

_SCHEMAS = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME"

_TABLES = """\
SELECT TABLE_NAME, TABLE_TYPE, TABLE_ROWS, TABLE_COMMENT
FROM information_schema.TABLES
WHERE {schema} AND TABLE_TYPE <> 'SEQUENCE'
ORDER BY TABLE_NAME"""

_COLUMNS = """\
SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME, IS_NULLABLE, COLUMN_DEFAULT, EXTRA,
  COLUMN_KEY, COLUMN_COMMENT
FROM information_schema.COLUMNS
WHERE {where}
ORDER BY TABLE_NAME, ORDINAL_POSITION"""

_FACTS = """\
SELECT t.TABLE_TYPE, t.ENGINE, e.TRANSACTIONS, t.TABLE_SCHEMA, t.TABLE_NAME
FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE {where}"""

_TRIGGERS = """\
SELECT TRIGGER_NAME, EVENT_MANIPULATION, ACTION_STATEMENT
FROM information_schema.TRIGGERS
WHERE {where}
ORDER BY TRIGGER_NAME"""

_KEYS = """\
SELECT INDEX_NAME, COLUMN_NAME
FROM information_schema.STATISTICS
WHERE {where} AND NON_UNIQUE = 0
ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX"""

# Those that hold a NULL, or only the beginning of a value.
_LOOSE = """\
SELECT DISTINCT INDEX_NAME
FROM information_schema.STATISTICS
WHERE {where} AND NON_UNIQUE = 0 AND (NULLABLE = 'YES' OR SUB_PART IS NOT NULL OR COLUMN_NAME IS NULL)"""

_REFERENCES = """\
SELECT k.TABLE_SCHEMA, k.TABLE_NAME, k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME, k.CONSTRAINT_NAME,
  r.DELETE_RULE, r.UPDATE_RULE
FROM information_schema.KEY_COLUMN_USAGE k
JOIN information_schema.REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA
  AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
WHERE {where}
ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION"""

# Tables that a trigger could write to, and nothing could take back.
_NOT_ATOMIC = """\
SELECT t.TABLE_SCHEMA, t.TABLE_NAME, t.ENGINE
FROM information_schema.TABLES t JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE e.TRANSACTIONS = 'NO' AND t.TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')"""

_SYSTEM = frozenset({"information_schema", "mysql", "performance_schema", "sys"})
_TABLE_KINDS = ("BASE TABLE", "SYSTEM VERSIONED")


def match_name(column: str, literal: str) -> str:
    """A condition that finds a database or table as the server itself would."""
    exact = f"@@lower_case_table_names = 0 AND BINARY {column} = BINARY {literal}"
    return f"(({exact}) OR (@@lower_case_table_names <> 0 AND LOWER({column}) = LOWER({literal})))"


def match_table(literal: Literal, table: TableName, schema: str = "TABLE_SCHEMA", name: str = "TABLE_NAME") -> str:
    """The condition for one table; without a schema it is in the session's own database."""
    where = match_name(schema, literal(table.schema)) if table.schema else f"{schema} = DATABASE()"
    return f"{where} AND {match_name(name, literal(table.name))}"


def find_table(query: Query, literal: Literal, table: TableName) -> TableName | None:
    """A table or view as the server finds it, called as the server calls it."""
    sql = "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE {where}"
    rows = query(sql.format(where=match_table(literal, table))).rows
    return TableName(schema=rows[0][0], name=rows[0][1] or "") if rows else None


def find_session_schema(query: Query) -> str | None:
    """The database that the session is in."""
    return query("SELECT DATABASE()").first_cell()


def list_schemas(query: Query, staging_schema: str) -> list[str]:
    """Databases a person may want."""
    hidden = {*_SYSTEM, staging_schema}
    return [name for (name,) in query(_SCHEMAS).rows if name and name.lower() not in hidden]


def list_tables(query: Query, literal: Literal, schema: str) -> list[TableInfo]:
    """Tables and views of a database by name."""
    rows = query(_TABLES.format(schema=match_name("TABLE_SCHEMA", literal(schema)))).rows
    return [
        TableInfo(
            schema=schema,
            name=name or "",
            is_view="VIEW" in (kind or ""),
            rows=int(count) if count and "VIEW" not in (kind or "") else None,
            comment=(comment if "VIEW" not in (kind or "") else None) or None,
        )
        for name, kind, count, comment in rows
    ]


def get_columns(query: Query, literal: Literal, table: TableName) -> list[TableColumn]:
    """A table's columns in order; none when there is no such table."""
    return [_read_column(row) for row in query(_COLUMNS.format(where=match_table(literal, table))).rows]


def column_inventory(query: Query, literal: Literal, schema: str) -> dict[str, list[TableColumn]]:
    """The columns of every table of a database."""
    found: dict[str, list[TableColumn]] = {}
    for row in query(_COLUMNS.format(where=match_name("TABLE_SCHEMA", literal(schema)))).rows:
        found.setdefault(row[0] or "", []).append(_read_column(row))
    return found


def get_table_facts(query: Query, literal: Literal, table: TableName) -> TableFacts:
    """Whether rows can be written, whether a merge can be undone, and who else it touches."""
    where = match_table(literal, table, "t.TABLE_SCHEMA", "t.TABLE_NAME")
    rows = query(_FACTS.format(where=where)).rows
    if not rows:
        return TableFacts(exists=False)
    kind, engine, transactions, schema, name = rows[0]
    if kind not in _TABLE_KINDS:
        what = "a view" if "VIEW" in (kind or "") else "no table"
        return TableFacts(exists=True, problem=f"{table} is {what}; rows are written to tables")
    stored = TableName(schema=schema, name=name or "")
    not_atomic = f"its engine {engine} has no transactions (ALTER TABLE ... ENGINE=InnoDB gives it some)"
    triggers = _list_triggers(query, literal, stored)
    return TableFacts(
        exists=True,
        not_atomic=_find_leak(query, triggers) if transactions == "YES" else not_atomic,
        keys=_list_keys(query, literal, stored),
        can_keep=True,
        referring=gather_references(lambda place: _ask_references(query, literal, place), stored),
        fires=tuple(Firing(name=f"trigger {item}", events=read_events(event or "")) for item, event, _ in triggers),
    )


def _list_triggers(query: Query, literal: Literal, table: TableName) -> Sequence[Row]:
    where = match_table(literal, table, "EVENT_OBJECT_SCHEMA", "EVENT_OBJECT_TABLE")
    return query(_TRIGGERS.format(where=where)).rows


def _find_leak(query: Query, triggers: Sequence[Row]) -> str:
    """A trigger that names a table without transactions: what it writes there stays when the merge is undone."""
    if not triggers:
        return ""
    for schema, name, engine in query(_NOT_ATOMIC).rows:
        word = re.compile(rf"(?<![\w$]){re.escape(name or '')}(?![\w$])", re.IGNORECASE)
        for trigger, _, statement in triggers:
            if word.search(statement or ""):
                return f"its trigger {trigger} writes to {schema}.{name}, whose engine {engine} has no transactions"
    return ""


def _list_keys(query: Query, literal: Literal, table: TableName) -> tuple[tuple[str, ...], ...]:
    """Unique keys that hold no NULL, the primary key first."""
    where = match_table(literal, table)
    loose = {row[0] for row in query(_LOOSE.format(where=where)).rows}
    found: dict[str, list[str]] = {}
    for index, column in query(_KEYS.format(where=where)).rows:
        if index not in loose:
            found.setdefault(index or "", []).append(column or "")
    return tuple(map(tuple, found.values()))


def _ask_references(query: Query, literal: Literal, table: TableName) -> list[ReferenceRow]:
    where = match_table(literal, table, "k.REFERENCED_TABLE_SCHEMA", "k.REFERENCED_TABLE_NAME")
    names = ("from_schema", "from_table", "from_column", "column", "constraint", "on_delete", "on_update")
    return [dict(zip(names, row, strict=True)) for row in query(_REFERENCES.format(where=where)).rows]


def _read_column(row: Row) -> TableColumn:
    _, name, type_text, charset, collation, nullable, default, extra, key, comment = row
    words = (extra or "").upper()
    return TableColumn(
        name=name or "",
        type=f"{type_text} CHARACTER SET {charset} COLLATE {collation}" if charset and collation else type_text or "",
        nullable=nullable == "YES",
        has_default=default is not None or "AUTO_INCREMENT" in words or "DEFAULT_GENERATED" in words,
        generated="VIRTUAL" in words or "STORED" in words or "PERSISTENT" in words,
        in_key=key == "PRI",
        comment=comment or None,
    )
