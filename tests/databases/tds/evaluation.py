# SELECT and INSERT evaluated for the double: T-SQL as SQLite's, over the double's tables. Knows no bytes of the wire.
"""`evaluate(statement, store, check)`: the rows of a query, or a table with the rows that were inserted.

It is a real evaluation, by an SQLite in memory, of the small part of T-SQL that `inference` knows. What SQL Server
would refuse is refused with its error; what would mean something else in SQLite is not evaluated at all. Texts are
compared without regard to case and to blanks at the end, as under the usual collations.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp

from tests.databases.tds.columns import Column, ColumnSpec, parse_name
from tests.databases.tds.inference import (
    LONGEST,
    MAX,
    NUMBERS,
    Inference,
    Kind,
    Named,
    Refused,
    build_refusal,
    get_kind,
    parse_kind,
)
from tests.databases.tds.store import Store, Table
from tests.databases.tds.types import CODE_PAGE

DESCRIBING = "dm_exec_describe_first_result_set"
_DESCRIBED = ("column_ordinal", "name", "system_type_name", "user_type_name", "error_number", "error_message")
_DESCRIBED_KINDS = ("int", "nvarchar(128)", "nvarchar(256)", "nvarchar(128)", "int", "nvarchar(4000)")
# SQLite's steps between two looks at what the client wants.
_STEPS = 50_000
_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between, exp.Min, exp.Max, exp.Ordered)

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Selected:
    """A result set; its rows are made as they are taken, and raise Refused where one cannot be."""

    columns: list[ColumnSpec]
    rows: Iterator[Row]


@dataclass(frozen=True, slots=True)
class Inserted:
    """A table as it is after an INSERT, and how many rows are new."""

    name: str
    table: Table
    count: int


def evaluate(statement: str, store: Store, check: Callable[[], None]) -> Selected | Inserted:
    """The answer to a statement; raises Refused. `check` is called now and then, and what it raises ends it."""
    tree = _parse(statement)
    evaluation = _Evaluation(store, check)
    return evaluation.insert(tree) if isinstance(tree, exp.Insert) else evaluation.select(tree)


def _parse(statement: str) -> exp.Expression:
    try:
        trees = sqlglot.parse(statement, read="tsql")
    except sqlglot.errors.ParseError as error:
        raise Refused(102, f"Incorrect syntax near '{error.errors[0]['highlight']}'.") from None
    except sqlglot.errors.TokenError:
        raise Refused(105, "Unclosed quotation mark after the character string.") from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Expression):
        raise Refused(50000, f"The double evaluates one statement at a time, not: {statement[:200]}")
    return trees[0]


class _Evaluation:
    """One statement: its tables are put into an SQLite of its own."""

    def __init__(self, store: Store, check: Callable[[], None]) -> None:
        self._store = store
        self._check = check
        self._ended: BaseException | None = None
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.create_collation("server", _compare)
        self._db.set_progress_handler(self._look, _STEPS)
        self._filled: set[str] = set()

    def _look(self) -> bool:
        """SQLite stops when this says so; what was raised is raised again behind it."""
        try:
            self._check()
        except BaseException as error:
            self._ended = error
        return self._ended is not None

    # -- statements ----------------------------------------------------------------------------------------------------

    def select(self, query: exp.Expression) -> Selected:
        """A query's columns and rows."""
        columns = self._prepare(query)
        kinds = [column.kind or Kind("") for column in columns]
        cursor = self._start(query)
        specs = [(column.name, kind.text) for column, kind in zip(columns, kinds, strict=True)]
        return Selected(specs, self._read(cursor, kinds))

    def insert(self, tree: exp.Insert) -> Inserted:
        """INSERT INTO t [(a, b)] VALUES ... or SELECT ..."""
        schema = tree.this if isinstance(tree.this, exp.Schema) else None
        target = schema.this if schema else tree.this
        name = _name_table(target)
        table = self._store.tables.get(name)
        if table is None:
            raise _no_such_table(target)
        names = [part.name for part in schema.expressions] if schema else [column.name for column in table.columns]
        places = _find_places(table, names)
        source = tree.expression
        queries = (
            [exp.select(*row.expressions) for row in source.expressions] if isinstance(source, exp.Values) else [source]
        )
        rows = []
        for query in queries:
            selected = self.select(query)
            if len(selected.columns) != len(places):
                raise Refused(213, "Column name or number of supplied values does not match table definition.")
            rows += [_place_values(table, places, row) for row in selected.rows]
        return Inserted(name, Table(table.columns, (*table.parts, tuple(rows))), len(rows))

    def _prepare(self, query: exp.Expression) -> list[Named]:
        """Finds out types, fills the tables the query reads, and turns it into SQLite's SQL."""
        _drop_recursion_limit(query)
        columns = Inference(self._find_columns).describe(query)
        if any(column.kind is None or column.kind.base == "numeric" for column in columns):
            raise build_refusal(query)
        common = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
        for table in list(query.find_all(exp.Table)):
            if table.db or table.name.lower() not in common:
                table.replace(exp.table_(_name_table(table), quoted=True, alias=table.alias_or_name))
        for node in list(query.find_all(exp.Expression)):
            _translate(node)
        return columns

    def _start(self, query: exp.Expression) -> sqlite3.Cursor:
        text = query.sql("sqlite", unsupported_level=sqlglot.ErrorLevel.RAISE)
        try:
            return self._db.execute(text)
        except sqlite3.Error as error:
            raise self._ended or Refused(50000, f"{error} in: {text[:1000]}") from None

    def _read(self, cursor: sqlite3.Cursor, kinds: Sequence[Kind]) -> Iterator[Row]:
        while True:
            try:
                row = cursor.fetchone()
            except sqlite3.Error as error:
                raise self._ended or Refused(50000, str(error)) from None
            if row is None:
                return
            for value, kind in zip(row, kinds, strict=True):
                _check_range(value, kind.base or "int")
            yield row

    # -- tables --------------------------------------------------------------------------------------------------------

    def _find_columns(self, table: exp.Table) -> list[Named]:
        """A table's columns; its rows are in SQLite afterwards."""
        if isinstance(table.this, exp.Anonymous) and table.this.name.lower() == DESCRIBING:
            columns = [Named(name, parse_kind(type_)) for name, type_ in zip(_DESCRIBED, _DESCRIBED_KINDS, strict=True)]
            self._fill(_name_table(table), columns, list(self._describe(table.this.expressions[0])))
            return columns
        found = self._store.tables.get(_name_table(table))
        if found is None:
            raise _no_such_table(table)
        columns = [Named(column.name, parse_kind(column.type.text)) for column in found.columns]
        known = [place for place, column in enumerate(columns) if column.kind is not None]
        rows = (tuple(row[place] for place in known) for row in found.read_rows())
        self._fill(_name_table(table), [columns[place] for place in known], rows)
        return columns

    def _fill(self, name: str, columns: Sequence[Named], rows: Iterable[Row]) -> None:
        if name in self._filled:
            return
        self._filled.add(name)
        names = ", ".join(f'"{column.name.replace(chr(34), chr(34) * 2)}"' for column in columns)
        quoted = name.replace('"', '""')
        self._db.execute(f'CREATE TABLE "{quoted}" ({names})')
        self._db.executemany(f'INSERT INTO "{quoted}" VALUES ({", ".join("?" * len(columns))})', rows)

    def _describe(self, given: exp.Expression) -> Iterator[Row]:
        """What the server says of a query without running it."""
        [(text,)] = _Evaluation(self._store, self._check).select(exp.select(given)).rows
        try:
            query = _parse(text)
            _drop_recursion_limit(query)
            columns = Inference(self._find_columns).describe(query)
        except Refused as refused:
            yield (0, None, None, None, refused.error.number, refused.error.message)
            return
        for number, column in enumerate(columns, 1):
            yield (number, column.name or None, (column.kind or Kind("")).text, None, None, None)


# -- T-SQL as SQLite's -------------------------------------------------------------------------------------------------


def _translate(node: exp.Expression) -> None:
    """One expression; its parts come later."""
    if isinstance(node, exp.National):
        node.replace(exp.Literal.string(node.name))
    elif isinstance(node, exp.Literal) and node.is_string:
        # A constant without N has only the characters of the code page.
        node.set("this", node.name.encode(CODE_PAGE, "replace").decode(CODE_PAGE))
    elif isinstance(node, exp.With):
        node.set("recursive", True)
    elif isinstance(node, exp.Concat):
        parts = [_build_text(part) for part in node.expressions]
        joined = parts[0]
        for part in parts[1:]:
            joined = exp.DPipe(this=joined, expression=part)
        node.replace(exp.paren(joined, copy=False))
    elif isinstance(node, exp.Cast) and node.meta.get("kind"):
        node.set("to", exp.DataType.build("text" if get_kind(node).base in LONGEST else "bigint"))
    elif isinstance(node, _COMPARED) and node.this.meta.get("kind", Kind("")).base in LONGEST:
        node.set("this", _collate(node.this))
    elif isinstance(node, exp.Group):
        texts = [part.meta["kind"].base in LONGEST for part in node.expressions]
        parts = [_collate(part) if text else part for part, text in zip(node.expressions, texts, strict=True)]
        node.set("expressions", parts)


def _collate(part: exp.Expression) -> exp.Expression:
    """A text that is compared as the server does."""
    return exp.Collate(this=part, expression=exp.var("server"))


def _build_text(part: exp.Expression) -> exp.Expression:
    text = exp.Cast(this=part, to=exp.DataType.build("text"))
    return exp.Coalesce(this=text, expressions=[exp.Literal.string("")])


def _drop_recursion_limit(query: exp.Expression) -> None:
    """SQLite knows no limit, so a recursion must say that it wants none; SQL Server's own is 100."""
    options = query.args.get("options") or []
    spelled = [option.sql("tsql").replace("=", " ").split() for option in options]
    unlimited = any(words[0].upper() == "MAXRECURSION" and words[-1] == "0" for words in spelled)
    recursive = any(
        table.name.lower() == cte.alias.lower() for cte in query.find_all(exp.CTE) for table in cte.find_all(exp.Table)
    )
    if (recursive and not unlimited) or len(options) > unlimited:
        raise Refused(50000, "The double evaluates recursion with OPTION (MAXRECURSION 0) only, and no other option.")
    query.set("options", None)


def _compare(one: str, two: str) -> int:
    left, right = one.rstrip(" ").casefold(), two.rstrip(" ").casefold()
    return (left > right) - (left < right)


# -- values ------------------------------------------------------------------------------------------------------------


def _check_range(value: Any, base: str) -> None:
    if isinstance(value, int) and base in NUMBERS and not NUMBERS[base][0] <= value <= NUMBERS[base][1]:
        raise Refused(8115, f"Arithmetic overflow error converting expression to data type {base}.")


def _find_places(table: Table, names: Sequence[str]) -> list[int]:
    places = {column.name.lower(): place for place, column in enumerate(table.columns)}
    for name in names:
        if name.lower() not in places:
            raise Refused(207, f"Invalid column name '{name}'.")
    return [places[name.lower()] for name in names]


def _place_values(table: Table, places: Sequence[int], row: Row) -> Row:
    values: list[Any] = [None] * len(table.columns)
    for place, value in zip(places, row, strict=True):
        values[place] = _convert(value, table.columns[place])
    for value, column in zip(values, table.columns, strict=True):
        if value is None and not column.nullable:
            raise Refused(515, f"Cannot insert the value NULL into column '{column.name}'; it does not allow nulls.")
    return tuple(values)


def _convert(value: Any, column: Column) -> Any:
    """A value as a column takes it."""
    kind = parse_kind(column.type.text)
    if kind is None:
        raise Refused(50000, f"The double inserts nothing into a column of type {column.type.text}.")
    if value is None:
        return None
    if kind.base in NUMBERS:
        return _convert_number(value, kind.base)
    text = str(value)
    if kind.base == "varchar":
        text = text.encode(CODE_PAGE, "replace").decode(CODE_PAGE)
    units = len(text.encode("utf-16-le")) // 2 if kind.base == "nvarchar" else len(text)
    if kind.length != MAX and units > kind.length:
        raise Refused(2628, f"String or binary data would be truncated in column '{column.name}'.")
    return text


def _convert_number(value: Any, base: str) -> int:
    try:
        number = int(value)
    except ValueError:
        raise Refused(245, f"Conversion failed when converting the value '{value}' to data type {base}.") from None
    _check_range(number, base)
    return number


def _name_table(table: exp.Table) -> str:
    if isinstance(table.this, exp.Anonymous):
        return f"{table.db}.{table.this.name}".lower()
    return parse_name(".".join(f"[{part}]" for part in (table.db, table.name) if part))


def _no_such_table(table: exp.Table) -> Refused:
    written = ".".join(part for part in (table.db, table.name) if part)
    return Refused(208, f"Invalid object name '{written}'.")
