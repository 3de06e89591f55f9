# What a statement does to its table, as far as a merge strategy can say it. Reads text only.
"""`read_statement`: truncate, delete, insert, update, merge, and what they compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pipekit.scripts.sqlreader import Cursor, Token, find_item_name, read_tokens, split_list

Verb = Literal["empty", "delete", "insert", "update", "merge", "create", "session", "other"]

_SESSION = ("begin", "commit", "start", "set", "end", "use", "go", "savepoint", "pragma")
_AFTER_TABLE = (
    "using",
    "where",
    "on",
    "join",
    "inner",
    "left",
    "set",
    "values",
    "select",
    "when",
    "from",
    "with",
    "cross",
    "full",
    "right",
    "group",
    "order",
    "limit",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """A statement, read. `others` are the tables it reads.

    `key` are the columns it compares the table with another one by, None where it compares in another way. `columns`
    and `items` are an insert's columns and the names it selects (`*` for all, `""` for an expression); `is_plain` says
    that an insert takes every row of one table, `sets` are the columns an update sets from the row of the same key.
    `problem` is what a strategy cannot say.
    """

    verb: Verb
    text: str
    table: str = ""
    others: tuple[str, ...] = ()
    key: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    items: tuple[str, ...] = ()
    is_plain: bool = False
    conflict: str = ""
    sets: tuple[str, ...] = ()
    problem: str = ""


def read_statement(sql: str) -> Statement:
    """Reads one statement."""
    cursor = Cursor(read_tokens(sql))
    first = cursor.peek()
    if first == "truncate":
        cursor.take("truncate")
        cursor.take("table")
        return Statement(verb="empty", text=sql, table=cursor.take_table() or "")
    if first == "delete":
        return _read_delete(sql, cursor)
    if first in ("insert", "replace"):
        return _read_insert(sql, cursor)
    if first == "update":
        return _read_update(sql, cursor)
    if first == "merge":
        return _read_merge(sql, cursor)
    if first == "create" and (
        cursor.peek(1) in ("table", "temp", "temporary", "unlogged") or cursor.peek(2) == "table"
    ):
        return _read_create(sql, cursor)
    if first in _SESSION:
        return Statement(verb="session", text=sql)
    return Statement(verb="other", text=sql)


# -- delete ------------------------------------------------------------------------------------------------------------


def _read_delete(sql: str, cursor: Cursor) -> Statement:
    cursor.take("delete")
    alias = None if cursor.peek() == "from" else cursor.take_name()
    if not cursor.take("from"):
        return Statement(verb="delete", text=sql, table=alias or "")
    table = cursor.take_table() or ""
    own = {table.lower(), table.lower().rpartition(".")[2], (cursor.take_alias(*_AFTER_TABLE) or "").lower()} - {""}
    if cursor.is_done:
        return Statement(verb="empty", text=sql, table=table)
    others: tuple[str, ...] = ()
    joined: list[Token] = []
    if cursor.take("using") or cursor.take("inner", "join") or cursor.take("join"):
        other = cursor.take_table() or ""
        cursor.take_alias(*_AFTER_TABLE)
        others = (other,)
        joined = _take_on(cursor)
    where = cursor.take_until() if cursor.take("where") else []
    if others:
        key = _read_key([*joined, *([Token("word", "and", 0, 0)] if joined and where else []), *where], own)
        return Statement(verb="delete", text=sql, table=table, others=others, key=key)
    return _read_delete_where(sql, table, own, where)


def _take_on(cursor: Cursor) -> list[Token]:
    return cursor.take_until("where", "when") if cursor.take("on") else []


def _read_delete_where(sql: str, table: str, own: set[str], where: list[Token]) -> Statement:
    """`WHERE key IN (SELECT key FROM s)`, `WHERE EXISTS (SELECT ... FROM s WHERE ...)`, or a condition of its own."""
    cursor = Cursor(where)
    names = cursor.take_names() or _one(cursor.take_table())
    if names and cursor.take("in"):
        group = cursor.take_group()
        if group is not None and cursor.is_done and group.take("select"):
            group.take("distinct")
            selected = tuple(find_item_name(item) for item in split_list(group.take_until("from")))
            plain = tuple(name.rpartition(".")[2] for name in names)
            others = _one(group.take_table() if group.take("from") else None)
            same = [name.lower() for name in selected] == [name.lower() for name in plain] and group.is_done
            return Statement(verb="delete", text=sql, table=table, others=others, key=plain if same else None)
    cursor = Cursor(where)
    if cursor.take("exists"):
        group = cursor.take_group()
        if group is not None and cursor.is_done:
            group.take_until("from")
            group.take("from")
            others = _one(group.take_table())
            group.take_alias(*_AFTER_TABLE)
            key = _read_key(group.take_until(), own) if group.take("where") else None
            return Statement(verb="delete", text=sql, table=table, others=others, key=key)
    return Statement(verb="delete", text=sql, table=table, columns=_read_constants(where))


def _one(name: str | None) -> tuple[str, ...]:
    return (name,) if name else ()


def _read_constants(where: list[Token]) -> tuple[str, ...] | None:
    """The columns of `a = 1 AND b = 'x'`; None for any other condition."""
    columns = []
    for item in split_list(where, "and"):
        cursor = Cursor(item)
        name = cursor.take_table()
        if (
            name is None
            or not cursor.take("=")
            or len(item) - cursor.at != 1
            or item[-1].kind not in ("string", "word")
        ):
            return None
        columns.append(name.rpartition(".")[2])
    return tuple(columns)


def _read_key(condition: Sequence[Token], own: set[str]) -> tuple[str, ...] | None:
    """The columns of `d.a = s.a AND d.b = s.b`, of the table called one of `own`; None for anything else."""
    tokens = list(condition)
    if tokens and tokens[0].text == "(" and tokens[-1].text == ")":
        tokens = tokens[1:-1]
    key = []
    for item in split_list(tokens, "and"):
        cursor = Cursor(item)
        left = cursor.take_table()
        right = cursor.take_table() if left and cursor.take("=") else None
        if not left or not right or not cursor.is_done:
            return None
        left_owner, _, left_name = left.rpartition(".")
        right_owner, _, right_name = right.rpartition(".")
        if left_name.lower() != right_name.lower():
            return None
        key.append(left_name if left_owner.lower() in own or not right_owner else right_name)
    return tuple(key) or None


# -- insert ------------------------------------------------------------------------------------------------------------


def _read_insert(sql: str, cursor: Cursor) -> Statement:
    replaces = cursor.take("replace") or (cursor.peek(1) == "or" and cursor.peek(2) == "replace")
    cursor.take_until("into")
    cursor.take("into")
    table = cursor.take_table() or ""
    columns = cursor.take_names()
    if not cursor.take("select"):
        return Statement(verb="insert", text=sql, table=table, columns=columns, problem="it selects from no table")
    problem = "it selects DISTINCT" if cursor.take("distinct") else ""
    items = tuple(_bare_name(item) for item in split_list(cursor.take_until("from")))
    others, key, plain, why = _read_from(cursor, table)
    conflict, conflict_key = _read_conflict(cursor)
    sets, set_problem = _read_sets(cursor) if conflict == "update" else ((), "")
    if cursor.peek() == "where":
        set_problem = set_problem or "it updates on a condition"
    return Statement(
        verb="insert",
        text=sql,
        table=table,
        others=others,
        columns=columns,
        items=items,
        key=conflict_key or key,
        is_plain=plain and not problem,
        conflict="replace" if replaces else conflict,
        sets=sets,
        problem=problem or why or set_problem,
    )


def _read_sets(cursor: Cursor) -> tuple[tuple[str, ...], str]:
    """The columns of `SET a = s.a, b = s.b`, and what there is besides plain columns."""
    cursor.take("set")
    names, problem = [], ""
    for item in split_list(cursor.take_until("from", "where", "when")):
        one = Cursor(item)
        name = (one.take_table() or "").rpartition(".")[2]
        plain = one.take("=") and _bare_name(item[one.at :]).lower() == name.lower()
        names.append(name)
        problem = problem or ("" if plain else f"it sets {name} to something else than the row's own {name}")
    return tuple(names), problem


def _bare_name(item: Sequence[Token]) -> str:
    """A select item that is a column and nothing else; `""` for an expression."""
    cursor = Cursor(item)
    name = find_item_name(item)
    if name == "*":
        return "*"
    column = cursor.take_table()
    if column is None or column[:1].isdigit():
        return ""
    cursor.take_alias()
    return column.rpartition(".")[2] if cursor.is_done else ""


def _read_from(cursor: Cursor, dest: str) -> tuple[tuple[str, ...], tuple[str, ...] | None, bool, str]:
    """The tables, the key of an anti-join with the dest, whether every row of one table is taken, and why not."""
    if not cursor.take("from"):
        return (), None, False, "it selects from no table"
    table = cursor.take_table() or ""
    cursor.take_alias(*_AFTER_TABLE)
    own = {dest.lower(), dest.lower().rpartition(".")[2]}
    is_every = cursor.take("where", "true") or cursor.take("where", "1", "=", "1")
    if cursor.is_done or cursor.peek() == "on":
        return (table,), None, True, ""
    if cursor.take("where") or is_every:
        key = _read_not_exists(cursor, own)
        if key is not None:
            return (table,), key, True, ""
        cursor.take_until("on")
        return (table,), None, False, "it has a WHERE of its own"
    if cursor.take("left", "outer", "join") or cursor.take("left", "join"):
        other = cursor.take_table() or ""
        own |= {(cursor.take_alias(*_AFTER_TABLE) or "").lower()}
        key = _read_key(_take_on(cursor), own)
        condition = cursor.take_until("on") if cursor.take("where") else []
        if other.lower() == dest.lower() and key and [t.key for t in condition[-2:]] == ["is", "null"]:
            return (table,), key, True, ""
    return (table,), None, False, "it joins, groups or orders"


def _read_not_exists(cursor: Cursor, own: set[str]) -> tuple[str, ...] | None:
    start = cursor.at
    if cursor.take("not", "exists"):
        group = cursor.take_group()
        if group is not None and (cursor.is_done or cursor.peek() == "on"):
            group.take_until("from")
            group.take("from")
            table = group.take_table() or ""
            alias = group.take_alias(*_AFTER_TABLE) or ""
            if table.lower() in own and group.take("where"):
                return _read_key(group.take_until(), own | {alias.lower()} - {""})
    cursor.at = start
    return None


def _read_conflict(cursor: Cursor) -> tuple[str, tuple[str, ...] | None]:
    """`ON CONFLICT (key) DO UPDATE` as (`update`, key), `DO NOTHING` as (`nothing`, key)."""
    if not cursor.take("on", "conflict"):
        return "", None
    key = cursor.take_names()
    return ("update" if cursor.take("do", "update") else "nothing"), key


# -- update, merge, create ---------------------------------------------------------------------------------------------


def _read_update(sql: str, cursor: Cursor) -> Statement:
    cursor.take("update")
    table = cursor.take_table() or ""
    own = {table.lower(), table.lower().rpartition(".")[2], (cursor.take_alias(*_AFTER_TABLE) or "").lower()} - {""}
    sets, problem = _read_sets(cursor)
    if not cursor.take("from"):
        return Statement(verb="update", text=sql, table=table)
    other = cursor.take_table() or ""
    cursor.take_alias(*_AFTER_TABLE)
    key = _read_key(cursor.take_until(), own) if cursor.take("where") else None
    return Statement(verb="update", text=sql, table=table, others=(other,), key=key, sets=sets, problem=problem)


def _read_merge(sql: str, cursor: Cursor) -> Statement:
    cursor.take("merge")
    cursor.take("into")
    table = cursor.take_table() or ""
    own = {table.lower(), table.lower().rpartition(".")[2], (cursor.take_alias(*_AFTER_TABLE) or "").lower()} - {""}
    cursor.take("using")
    other = cursor.take_table() or ""
    cursor.take_alias(*_AFTER_TABLE)
    key = _read_key(_take_on(cursor), own)
    rest = cursor.take_until()
    words = [token.key for token in rest]
    problem = "it deletes" if "delete" in words else ""
    if not problem and not ("update" in words and "insert" in words):
        problem = "it only inserts or only updates"
    sets: tuple[str, ...] = ()
    if not problem:
        sets, problem = _read_sets(Cursor(rest[words.index("update") + 1 :]))
    return Statement(
        verb="merge",
        text=sql,
        table=table,
        others=(other,),
        key=key,
        columns=_read_inserted(rest),
        sets=sets,
        problem=problem,
    )


def _read_inserted(rest: Sequence[Token]) -> tuple[str, ...] | None:
    """The columns of a merge's `INSERT (a, b) VALUES (s.a, s.b)`, where each takes the column of its own name."""
    cursor = Cursor(rest)
    cursor.take_until("insert")
    cursor.take("insert")
    names = cursor.take_names()
    group = cursor.take_group() if cursor.take("values") else None
    values = [_bare_name(item).lower() for item in split_list(group.take_until())] if group else []
    return names if names and values == [name.lower() for name in names] else None


def _read_create(sql: str, cursor: Cursor) -> Statement:
    """The names of a table's columns, in order."""
    cursor.take_until("table")
    cursor.take("table")
    cursor.take("if", "not", "exists")
    table = cursor.take_table() or ""
    group = cursor.take_group()
    names = []
    for item in split_list(group.take_until() if group else []):
        if item[0].key not in (
            "primary",
            "unique",
            "constraint",
            "foreign",
            "check",
            "key",
            "index",
            "exclude",
            "like",
        ):
            names.append(item[0].name)
    return Statement(verb="create", text=sql, table=table, columns=tuple(names) or None)
