# Rows of Python values -> COPY text, checked column by column on the way. Knows no connection.
"""`RowEncoder`: how rows of another kind of database enter a PostgreSQL table."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from pipekit.drivers.postgresql.copytext import NULL, escape, escape_all
from pipekit.drivers.postgresql.exact import Rule, build_rule
from pipekit.drivers.postgresql.types import INTEGERS, parse_type
from pipekit.errors import Inexact

_NOTHING = type(None)
_ONLY_TEXT = frozenset({str})
_ONLY_NULL = frozenset({_NOTHING})

Values = tuple[Any, ...]
Writer = Callable[[Any], str]


class RowEncoder:
    """Encodes blocks of rows for columns given as (name, type). Not `exact` means that no value is checked."""

    def __init__(self, columns: Sequence[tuple[str, str]], exact: bool) -> None:
        self._columns = [_ColumnEncoder(name, type_, exact) for name, type_ in columns]

    def encode(self, rows: Sequence[Values], first_row: int) -> bytes:
        """The rows as COPY text; `first_row` is the number of the first, counted from 1. Raises Inexact."""
        if not rows:
            return b""
        cells = [
            column.encode(values, first_row)
            for column, values in zip(self._columns, zip(*rows, strict=True), strict=True)
        ]
        try:
            return ("\n".join(map("\t".join, zip(*cells, strict=True))) + "\n").encode()
        except UnicodeEncodeError:
            raise self._name_surrogate(cells, first_row) from None

    def encode_column(self, place: int, values: Values, first_row: int) -> Sequence[str]:
        """One column's cells; raises Inexact."""
        return self._columns[place].encode(values, first_row)

    def _name_surrogate(self, cells: Sequence[Iterable[str]], first_row: int) -> Inexact:
        for column, values in zip(self._columns, cells, strict=True):
            for number, text in enumerate(values, start=first_row):
                if any("\ud800" <= letter <= "\udfff" for letter in text):
                    return column.refuse(number, "it holds half a character, which UTF-8 cannot hold", text)
        return Inexact("A value holds half a character, which UTF-8 cannot hold.")


class _ColumnEncoder:
    def __init__(self, name: str, type_text: str, exact: bool) -> None:
        self._name = name
        self._type = type_text
        self._rule: Rule | None = build_rule(type_text) if exact else None
        self._write = _choose_writers(type_text)

    def encode(self, values: Values, first_row: int) -> Sequence[str]:
        kinds = frozenset(map(type, values))
        present = [value for value in values if value is not None] if _NOTHING in kinds else values
        kinds -= _ONLY_NULL
        if self._rule is not None and not kinds <= self._rule.safe:
            self._check(values, present, kinds, first_row, self._rule)
        if str in kinds:
            self._refuse_nul(values, present, kinds, first_row)
        if kinds == _ONLY_TEXT and str not in self._write:
            texts = escape_all(present)
            return texts if len(texts) == len(values) else _put_nulls(values, texts)
        if len(kinds) == 1:
            texts = list(map(self._choose_writer(next(iter(kinds)), values, first_row), present))
            return texts if len(texts) == len(values) else _put_nulls(values, texts)
        write = {kind: self._choose_writer(kind, values, first_row) for kind in kinds}
        return [NULL if value is None else write[type(value)](value) for value in values]

    def refuse(self, row: int, reason: str, value: object) -> Inexact:
        shown = repr(value)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        message = f"Row {row}, column {self._name}: {reason}: {shown} for {self._type}"
        return Inexact(message, row=row, column=self._name)

    def _choose_writer(self, kind: type, values: Values, first_row: int) -> Writer:
        writer = self._write.get(kind) or _WRITERS.get(kind)
        if writer is None:
            number, value = next((n, v) for n, v in enumerate(values, start=first_row) if type(v) is kind)
            raise self.refuse(number, f"a value of type {kind.__name__} cannot be stored", value)
        return writer

    def _check(
        self, values: Values, present: Sequence[Any], kinds: frozenset[type], first_row: int, rule: Rule
    ) -> None:
        glance = rule.glances.get(next(iter(kinds))) if len(kinds) == 1 else None
        if glance is not None and glance(present):
            return
        safe, check = rule.safe, rule.check
        for number, value in enumerate(values, start=first_row):
            if type(value) not in safe and (reason := check(value)):
                raise self.refuse(number, reason, value)

    def _refuse_nul(self, values: Values, present: Sequence[Any], kinds: frozenset[type], first_row: int) -> None:
        texts = present if kinds == _ONLY_TEXT else [value for value in present if type(value) is str]
        if "\0" in "".join(texts):
            for number, value in enumerate(values, start=first_row):
                if type(value) is str and "\0" in value:
                    raise self.refuse(number, "text cannot hold a NUL character", value)


def _put_nulls(values: Values, texts: Sequence[str]) -> list[str]:
    rest = iter(texts)
    return [NULL if value is None else next(rest) for value in values]


def _write_bytes(value: bytes) -> str:
    return "\\\\x" + value.hex()


def _write_bool(value: bool) -> str:
    return "t" if value else "f"


_WRITERS: dict[type, Writer] = {
    bool: _write_bool,
    int: str,
    float: repr,
    Decimal: str,
    str: escape,
    bytes: _write_bytes,
}


def _choose_writers(type_text: str) -> dict[type, Writer]:
    """Where a column needs another text than the value's own."""
    base = parse_type(type_text)
    if base.base in INTEGERS and not base.dimensions:
        return {bool: lambda value: str(int(value)), float: _write_whole, Decimal: lambda value: format(value, "f")}
    if base.base == "bytea" and not base.dimensions:
        return {str: lambda value: _write_bytes(value.encode())}
    return {}


def _write_whole(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
