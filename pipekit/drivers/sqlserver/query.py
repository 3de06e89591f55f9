# A person's query cut into the parts that T-SQL wants in different places. Reads tokens; knows no grammar but that.
"""Putting a query into another one, and telling one from two.

T-SQL takes neither WITH, nor OPTION, nor a bare ORDER BY inside a derived table: the first goes before the outer query,
the second behind it, and the third is allowed with an OFFSET.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pipekit.drivers.sqltext import READINGS, strip_query, tokens
from pipekit.errors import Invalid

_TSQL = READINGS[2]
_SET_OPERATORS = frozenset({"UNION", "EXCEPT", "INTERSECT"})
_TRANSACTIONS = frozenset({"BEGIN", "COMMIT", "ROLLBACK", "SAVE"})
# Reserved words that begin a statement, so that none of them is a name unless it is quoted.
_BEGINNINGS = _TRANSACTIONS | {
    "ALTER", "BACKUP", "CHECKPOINT", "CLOSE", "CREATE", "DBCC", "DEALLOCATE", "DECLARE", "DELETE", "DENY", "DROP",
    "DUMP", "EXEC", "EXECUTE", "GOTO", "GRANT", "IF", "INSERT", "KILL", "LOAD", "MERGE", "OPEN", "PRINT", "RAISERROR",
    "READTEXT", "RECONFIGURE", "RESTORE", "RETURN", "REVERT", "REVOKE", "SET", "SETUSER", "SHUTDOWN", "TRIGGER",
    "TRUNCATE", "UPDATE", "UPDATETEXT", "USE", "WAITFOR", "WHILE", "WRITETEXT",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parts:
    """`head` is WITH and all it defines, `body` the query proper, `tail` its OPTION clause."""

    head: str
    body: str
    tail: str


@dataclass(frozen=True, slots=True)
class _Item:
    """What stands outside of parentheses: a word in capitals, a mark, `(` for a group, `""` for a quoted thing."""

    text: str
    start: int
    end: int


def split_query(sql: str) -> Parts:
    """The query in parts that make a derived table of `body` possible."""
    text = strip_query(sql)
    items = list(_list_items(text))
    start = _find_body(items)
    end = _find_option(items, len(text))
    body = text[start:end].rstrip()
    if _wants_offset([item for item in items if start <= item.start < end]):
        body += "\nOFFSET 0 ROWS"
    return Parts(head=text[:start], body=body, tail=text[end:])


def build_derived(sql: str, chosen: str) -> str:
    """The query as a derived table of which `chosen` is selected; newlines end a comment in it."""
    parts = split_query(sql)
    tail = f"\n{parts.tail}" if parts.tail else ""
    return f"{parts.head}SELECT {chosen} FROM (\n{parts.body}\n) AS pipekit_query{tail}"


def check_single(sql: str) -> None:
    """Raises Invalid (field `query`) for two statements under one text: T-SQL needs no semicolon between them.

    A query that begins otherwise than with SELECT or WITH is only looked at for what would end its transaction.
    """
    text = strip_query(sql)
    items = list(_list_items(text))
    if items and items[0].text in ("SELECT", "WITH", "("):
        found = _find_second(items)
    else:
        found = next((_Item(*word) for word in _list_words(text) if word[0] in _TRANSACTIONS), None)
    if found:
        more = text[found.start : found.start + 40]
        raise Invalid(
            "A query must be a single statement.",
            field="query",
            hint=f"Found another one: {more!r}. A name that is a word of SQL stands in brackets.",
        )


def _find_second(items: list[_Item]) -> _Item | None:
    """Where a second statement begins behind a query."""
    body = _find_body(items)
    after = [*items[1:], _Item("", -1, -1)]
    before = [_Item("", -1, -1), *items]
    for last, item, following in zip(before, items, after, strict=False):
        if item.text == "SELECT":
            if item.start != body and last.text not in _SET_OPERATORS and last.text != "ALL":
                return item
        elif item.text in _BEGINNINGS and (item.text, following.text) != ("MERGE", "JOIN"):
            return item
    return None


def _find_body(items: list[_Item]) -> int:
    """Where the query proper begins: behind the last group that WITH defines."""
    if not items or items[0].text != "WITH":
        return items[0].start if items else 0
    for before, group, after in zip(items, items[1:], items[2:], strict=False):
        if group.text == "(" and before.text in ("AS", "XMLNAMESPACES") and after.text != ",":
            return after.start
    return items[0].start


def _find_option(items: list[_Item], end: int) -> int:
    """Where a final OPTION clause begins, the query's end where there is none."""
    if len(items) > 2 and items[-2].text == "OPTION" and items[-1].text == "(":
        return items[-2].start
    return end


def _wants_offset(items: list[_Item]) -> bool:
    """Whether the query sorts its rows without saying how many it wants."""
    words = [item.text for item in items]
    ordered = [place for place in range(len(words) - 1) if words[place : place + 2] == ["ORDER", "BY"]]
    if not ordered or not {"OFFSET", "FOR"}.isdisjoint(words[ordered[-1] :]):
        return False
    return "TOP" not in words[:3] or not _SET_OPERATORS.isdisjoint(words)


def _list_items(sql: str) -> Iterator[_Item]:
    """Everything outside of parentheses, blanks and comments left out."""
    depth, opened = 0, 0
    for text, start, end in _list_words(sql):
        if text == ")":
            depth -= 1
            if depth == 0:
                yield _Item("(", opened, end)
        elif text == "(":
            opened = start if depth == 0 else opened
            depth += 1
        elif depth == 0:
            yield _Item(text, start, end)


def _list_words(sql: str) -> Iterator[tuple[str, int, int]]:
    """Letters put together to words in capitals; each mark stands alone, a quoted thing is `""`."""
    word = -1
    for kind, start, end in tokens(sql, _TSQL):
        is_letter = kind == "other" and (sql[start].isalnum() or sql[start] in "_@#$")
        if word >= 0 and not is_letter:
            yield sql[word:start].upper(), word, start
            word = -1
        if is_letter:
            word = start if word < 0 else word
        elif kind not in ("space", "comment"):
            yield (sql[start:end] if kind == "other" else ""), start, end
    if word >= 0:
        yield sql[word:].upper(), word, len(sql)
