# Answers what a driver asks about its database, from `java.sql.DatabaseMetaData`. Loaded in the runner child only.
"""`answer`: one question of `asking` -> its rows as text."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pipekit.drivers.jdbc.columntypes import ColumnType
from pipekit.drivers.jdbc.connection import JdbcConnection, describe_columns
from pipekit.drivers.jdbc.jvm import JavaError
from pipekit.errors import Invalid, StatementFailed
from pipekit.runner_contract import QueryResult, ResultColumn

Text = str | None
Row = tuple[Text, ...]
Found = dict[str, Text]

_COLUMNS = (
    "table", "name", "type", "jdbc_type", "type_name", "size", "digits", "nullable", "remarks", "default",
    "autoincrement", "generated", "refused",
)  # fmt: skip
_DESCRIBED = ("name", "type", "jdbc_type", "type_name", "size", "digits", "nullable", "refused")
_REFERENCES = (
    "from_schema", "from_table", "from_column", "column", "constraint", "on_delete", "on_update", "position",
)  # fmt: skip
_NULLABLE = {"0": "false", "1": "true"}
_FLAGS = {"YES": "true", "NO": "false"}
_STATISTIC = "0"


def answer(session: JdbcConnection, word: str, arguments: Sequence[Text]) -> QueryResult:
    """The rows of an answer; raises StatementFailed or Invalid. What Java throws passes through."""
    names, ask = _ANSWERS[word]
    columns = tuple(ResultColumn(name=name) for name in names)
    try:
        return QueryResult(columns=columns, rows=tuple(ask(session, *arguments)))
    except TypeError as error:
        if "argument" not in str(error):
            raise
        raise Invalid(f"'{word}' does not take {len(arguments)} arguments.", field="query") from None


def _ask_database(session: JdbcConnection) -> Iterator[Row]:
    data, connection = session.metadata, session.connection
    questions: dict[str, Callable[[], Any]] = {
        "product": data.getDatabaseProductName,
        "version": data.getDatabaseProductVersion,
        "driver": data.getDriverName,
        "driver_version": data.getDriverVersion,
        "quote": data.getIdentifierQuoteString,
        "schemas_in_tables": data.supportsSchemasInTableDefinitions,
        "catalogs": data.supportsCatalogsInTableDefinitions,
        "upper_names": data.storesUpperCaseIdentifiers,
        "lower_names": data.storesLowerCaseIdentifiers,
        "mixed_names": data.storesMixedCaseIdentifiers,
        "max_column_name": data.getMaxColumnNameLength,
        "max_table_name": data.getMaxTableNameLength,
        "batch": data.supportsBatchUpdates,
        "savepoints": data.supportsSavepoints,
        "transactions": data.supportsTransactions,
        "ddl_in_transaction": lambda: _keeps_ddl(data),
        "user": data.getUserName,
        "schema": lambda: _find_schema(session, connection),
        "extra_name_characters": data.getExtraNameCharacters,
    }
    for name, question in questions.items():
        yield name, _find_text(question)


def _keeps_ddl(data: Any) -> bool:
    return not data.dataDefinitionCausesTransactionCommit() and not data.dataDefinitionIgnoredInTransactions()


def _find_schema(session: JdbcConnection, connection: Any) -> Any:
    return connection.getCatalog() if _uses_catalogs(session) else connection.getSchema()


def _find_text(question: Callable[[], Any]) -> Text:
    """An answer as text, None where the driver does not know."""
    try:
        value = question()
    except (JavaError, AttributeError):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value).strip()


def _ask_schemas(session: JdbcConnection) -> Iterator[Row]:
    if _uses_catalogs(session):
        found = _read(session.metadata.getCatalogs())
        return ((row["table_cat"],) for row in found)
    return ((row["table_schem"],) for row in _read(session.metadata.getSchemas()))


def _ask_tables(session: JdbcConnection, schema: Text = None, table: Text = None) -> Iterator[Row]:
    catalog, pattern = _find_place(session, schema)
    name = "%" if table is None else _escape(session, table)
    for row in _read(session.metadata.getTables(catalog, pattern, name, None)):
        kind = (row["table_type"] or "").upper()
        if not kind.startswith("SYSTEM") and "INDEX" not in kind and "SEQUENCE" not in kind and _is_in(row, schema):
            yield _get_schema(row), row["table_name"], row["table_type"], row.get("remarks")


def _ask_columns(session: JdbcConnection, schema: Text = None, table: Text = None) -> Iterator[Row]:
    catalog, pattern = _find_place(session, schema)
    name = "%" if table is None else _escape(session, table)
    for row in _read(session.metadata.getColumns(catalog, pattern, name, "%")):
        if _is_in(row, schema) and table in (None, row["table_name"]):
            type_ = _classify(session, row)
            yield (
                *(row["table_name"], row["column_name"], type_.text, row["data_type"], row["type_name"]),
                *(row["column_size"], row.get("decimal_digits"), _NULLABLE.get(row["nullable"] or "")),
                *(row.get("remarks"), row.get("column_def"), _FLAGS.get(row.get("is_autoincrement") or "")),
                *(_FLAGS.get(row.get("is_generatedcolumn") or ""), type_.refused),
            )


def _classify(session: JdbcConnection, row: Found) -> ColumnType:
    code, size, digits = (int(row.get(name) or 0) for name in ("data_type", "column_size", "decimal_digits"))
    name = row["type_name"] or ""
    return session.classify(code, name, size, digits, "unsigned" not in name.lower())


def _ask_primary_key(session: JdbcConnection, schema: Text, table: str) -> list[Row]:
    found = _read(session.metadata.getPrimaryKeys(*_place_exactly(session, schema, table)))
    rows = [(row["column_name"], row["key_seq"], row.get("pk_name")) for row in found if _is_in(row, schema)]
    return sorted(rows, key=lambda row: int(row[1] or 0))


def _ask_unique_indexes(session: JdbcConnection, schema: Text, table: str) -> Iterator[Row]:
    for row in _read(session.metadata.getIndexInfo(*_place_exactly(session, schema, table), True, True)):
        is_whole = row["column_name"] and not row.get("filter_condition")
        if row["type"] != _STATISTIC and is_whole and _is_in(row, schema):
            yield row["index_name"], row["column_name"], row["ordinal_position"]


def _ask_references(session: JdbcConnection, schema: Text, table: str) -> Iterator[Row]:
    for row in _read(session.metadata.getExportedKeys(*_place_exactly(session, schema, table))):
        from_schema = row["fktable_cat"] if _uses_catalogs(session) else row["fktable_schem"]
        yield (
            *(from_schema, row["fktable_name"], row["fkcolumn_name"], row["pkcolumn_name"], row.get("fk_name")),
            *(row.get("delete_rule"), row.get("update_rule"), row.get("key_seq")),
        )


def _ask_types(session: JdbcConnection) -> Iterator[Row]:
    names = (
        "type_name", "data_type", "precision", "create_params", "literal_prefix", "literal_suffix", "maximum_scale",
    )  # fmt: skip
    return (tuple(row.get(name) for name in names) for row in _read(session.metadata.getTypeInfo()))


def _ask_isolation(session: JdbcConnection) -> Iterator[Row]:
    """`none` where each statement stands for itself and nothing can be rolled back."""
    level = int(session.connection.getTransactionIsolation())
    yield ("none" if level == 0 else "some",)


def _ask_describe(session: JdbcConnection, sql: str) -> list[Row]:
    """The query is prepared; a driver that tells nothing of a prepared query has it run for one row at most."""
    statement = session.connection.prepareStatement(sql)
    with contextlib.closing(statement):
        metadata = _find_metadata(statement)
        if metadata is None:
            statement.setMaxRows(1)
            if not statement.execute():
                raise StatementFailed("The query gives no columns.")
            metadata = statement.getMetaData() or statement.getResultSet().getMetaData()
        return _describe(session, metadata)


def _find_metadata(statement: Any) -> Any:
    try:
        return statement.getMetaData()
    except JavaError:
        return None


def _describe(session: JdbcConnection, metadata: Any) -> list[Row]:
    rows: list[Row] = []
    for place, (name, type_) in enumerate(describe_columns(metadata, session.classify), start=1):
        numbers = (str(metadata.getPrecision(place)), str(metadata.getScale(place)))
        nullable = _NULLABLE.get(str(metadata.isNullable(place)))
        code, type_name = str(metadata.getColumnType(place)), str(metadata.getColumnTypeName(place))
        rows.append((name, type_.text, code, type_name, *numbers, nullable, type_.refused))
    return rows


# -- places ------------------------------------------------------------------------------------------------------------


def _uses_catalogs(session: JdbcConnection) -> bool:
    """Whether the database calls catalogs what others call schemas."""
    data = session.metadata
    return not data.supportsSchemasInTableDefinitions() and bool(data.supportsCatalogsInTableDefinitions())


def _find_place(session: JdbcConnection, schema: Text) -> tuple[Text, Text]:
    """Catalog and schema pattern."""
    if _uses_catalogs(session):
        return schema, None
    return None, None if schema is None else _escape(session, schema)


def _place_exactly(session: JdbcConnection, schema: Text, table: str) -> tuple[Text, Text, str]:
    schema, table = None if schema is None else session.spell_asked(schema), session.spell_asked(table)
    return (schema, None, table) if _uses_catalogs(session) else (None, schema, table)


def _escape(session: JdbcConnection, name: str) -> str:
    """A name as a pattern that matches nothing else; where there is no escape, more is found and left out again."""
    mark = str(session.metadata.getSearchStringEscape() or "")
    if mark:
        name = name.replace(mark, mark * 2).replace("_", f"{mark}_").replace("%", f"{mark}%")
    return session.spell_asked(name)


def _is_in(row: Found, schema: Text) -> bool:
    return schema is None or schema in (row.get("table_schem"), row.get("table_cat"))


def _get_schema(row: Found) -> Text:
    return row.get("table_schem") or row.get("table_cat")


def _read(result: Any) -> Iterator[Found]:
    """The rows of a catalogue's result by column name in lower case; cells are read in order, as some drivers need."""
    with contextlib.closing(result):
        metadata = result.getMetaData()
        names = [str(metadata.getColumnLabel(place)).lower() for place in range(1, metadata.getColumnCount() + 1)]
        while result.next():
            row: Found = {}
            for place, name in enumerate(names, start=1):
                cell = result.getString(place)
                row[name] = None if cell is None else str(cell)
            yield row


_ANSWERS: dict[str, tuple[tuple[str, ...], Callable[..., Any]]] = {
    "database": (("name", "value"), _ask_database),
    "schemas": (("schema",), _ask_schemas),
    "tables": (("schema", "name", "type", "remarks"), _ask_tables),
    "columns": (_COLUMNS, _ask_columns),
    "primary-key": (("name", "position", "constraint"), _ask_primary_key),
    "unique-indexes": (("index", "name", "position"), _ask_unique_indexes),
    "references": (_REFERENCES, _ask_references),
    "types": (
        ("type_name", "jdbc_type", "size", "create_params", "prefix", "suffix", "max_scale"),
        _ask_types,
    ),
    "describe": (_DESCRIBED, _ask_describe),
    "isolation": (("isolation",), _ask_isolation),
}
