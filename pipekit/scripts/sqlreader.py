# SQL text -> tokens, statements and a cursor over them. Knows how SQL is spelled, not what a statement means here.
"""`split_statements`, `Cursor`, `list_output_names`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipekit.drivers.sqltext import tokens
from pipekit.scripts.found import CLOSE, OPEN

_WORD = re.compile(rf"[\w$#@{OPEN}{CLOSE}]+")


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is word, name (quoted), string or mark; `key` is what it is compared by."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def key(self) -> str:
        return self.text.lower() if self.kind in ("word", "mark") else self.text

    @property
    def name(self) -> str:
        """An identifier without its quotes."""
        if self.kind != "name":
            return self.text
        return self.text[1:-1].replace('""', '"')


def read_tokens(sql: str) -> list[Token]:
    """The tokens that mean something, comments and blanks left out."""
    found: list[Token] = []
    skip_to = 0
    for kind, start, end in tokens(sql):
        if start < skip_to or kind in ("space", "comment"):
            continue
        word = _WORD.match(sql, start) if kind == "other" else None
        if word:
            skip_to = word.end()
            found.append(Token("word", word[0], start, word.end()))
        elif kind == "other":
            found.append(Token("mark", sql[start:end], start, end))
        else:
            found.append(
                Token(
                    {"semicolon": "mark", "dollar": "string", "open": "string"}.get(kind, kind),
                    sql[start:end],
                    start,
                    end,
                )
            )
    return found


def split_statements(sql: str) -> list[str]:
    """The statements of a script without their semicolons."""
    statements: list[str] = []
    start = 0
    for token in [*read_tokens(sql), Token("mark", ";", len(sql), len(sql))]:
        if token.text == ";" and token.kind == "mark":
            text = sql[start : token.start].strip()
            if read_tokens(text):
                statements.append(text)
            start = token.end
    return statements


class Cursor:
    """A place in a statement's tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        """The key of a token to come, `""` at the end."""
        place = self.at + ahead
        return self._tokens[place].key if place < len(self._tokens) else ""

    @property
    def is_done(self) -> bool:
        return self.at >= len(self._tokens)

    def take(self, *keys: str) -> bool:
        """Passes over these tokens if they come next."""
        if all(self.peek(i) == key for i, key in enumerate(keys)):
            self.at += len(keys)
            return True
        return False

    def skip(self) -> None:
        """Passes over one token."""
        self.at += 1

    def take_name(self) -> str | None:
        """An identifier."""
        if self.is_done or self._tokens[self.at].kind not in ("word", "name"):
            return None
        self.at += 1
        return self._tokens[self.at - 1].name

    def take_table(self) -> str | None:
        """`a`, `a.b` or `a.b.c`, as one name."""
        name = self.take_name()
        while name is not None and self.peek() in (".", "/") and (following := self._name_after()):
            self.at += 2
            name = f"{name}.{following}"
        return name

    def _name_after(self) -> str | None:
        place = self.at + 1
        if place < len(self._tokens) and self._tokens[place].kind in ("word", "name"):
            return self._tokens[place].name
        return None

    def take_alias(self, *reserved: str) -> str | None:
        """`AS x` or `x`, unless a reserved word comes."""
        if self.take("as"):
            return self.take_name()
        if self.peek() in reserved or self.is_done or self._tokens[self.at].kind not in ("word", "name"):
            return None
        return self.take_name()

    def take_group(self) -> "Cursor | None":
        """What stands in parentheses, as a cursor of its own."""
        if self.peek() != "(":
            return None
        depth = 0
        for place in range(self.at, len(self._tokens)):
            depth += (self._tokens[place].text == "(") - (self._tokens[place].text == ")")
            if depth == 0:
                inner = Cursor(self._tokens[self.at + 1 : place])
                self.at = place + 1
                return inner
        return None

    def take_names(self) -> tuple[str, ...] | None:
        """`(a, b)`: plain names in parentheses."""
        start = self.at
        group = self.take_group()
        if group is None:
            return None
        names = []
        while not group.is_done:
            name = group.take_name()
            if name is None or not (group.is_done or group.take(",")):
                self.at = start
                return None
            names.append(name)
        return tuple(names)

    def take_until(self, *keys: str) -> list[Token]:
        """Tokens up to one of these words at this depth."""
        depth, start = 0, self.at
        while not self.is_done:
            text = self._tokens[self.at].text
            if depth == 0 and self.peek() in keys:
                break
            depth += (text == "(") - (text == ")")
            self.at += 1
        return list(self._tokens[start : self.at])


def list_names(sql: str) -> set[str]:
    """Every name in a statement with what stands before its dots, in lower case."""
    cursor = Cursor(read_tokens(sql))
    names: set[str] = set()
    while not cursor.is_done:
        name = cursor.take_table()
        if name is None:
            cursor.skip()
        else:
            names.add(name.lower())
    return names


def split_list(tokens: Sequence[Token], separator: str = ",") -> Iterator[list[Token]]:
    """Items between separators at depth 0."""
    item: list[Token] = []
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.key == separator:
            yield item
            item = []
        else:
            item.append(token)
    if item:
        yield item


def list_output_names(sql: str) -> tuple[str, ...] | None:
    """The names of a query's columns, `""` for one without; None where `*` or the query's form hides them."""
    cursor = Cursor(read_tokens(sql))
    if cursor.take("with"):
        cursor.take("recursive")
        cursor.take_until("select")
    if not cursor.take("select"):
        return None
    cursor.take("distinct")
    items = list(split_list(cursor.take_until("from", "union", "where", "order", "fetch", "limit")))
    names = [find_item_name(item) for item in items]
    return None if not names or "*" in names else tuple(names)


def find_item_name(item: Sequence[Token]) -> str:
    """How a select item's column is called: `*` for all, `""` where it has no name."""
    if not item:
        return ""
    last = item[-1]
    if last.text == "*" and (len(item) == 1 or item[-2].text == "."):
        return "*"
    if len(item) == 1:
        return last.name if last.kind in ("word", "name") and not last.text[0].isdigit() else ""
    before = item[-2].key
    if last.kind not in ("word", "name"):
        return ""
    if before == "as" or before == ".":
        return last.name
    follows_value = (
        item[-2].kind in ("name", "string") or before == ")" or (item[-2].kind == "word" and before != "end")
    )
    return last.name if (follows_value or before == "end") and last.key != "end" else ""
