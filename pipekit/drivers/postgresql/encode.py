# Rows of Python values -> COPY text, checked column by column on the way. Knows no connection.
"""`RowEncoder`: how rows of another kind of database enter a PostgreSQL table."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from pipekit.drivers.postgresql.copytext import NULL, escape, escape_all
from pipekit.drivers.postgresql.exact import Rule, build_decimal_look, build_rule
from pipekit.drivers.postgresql.types import INTEGERS, parse_type
from pipekit.errors import Inexact

_NOTHING = type(None)
_ONLY_TEXT = frozenset({str})
_ONLY_NULL = frozenset({_NOTHING})
_ONLY_INT = frozenset({int})
_NUMBERS = frozenset({int, float})
# So many different numbers of a column are kept with their texts; one that has more is taken for one where all differ.
_MOST_KNOWN = 2_000

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
        columns = list(zip(*rows, strict=True))
        try:
            cells = [column.encode(values, first_row) for column, values in zip(self._columns, columns, strict=True)]
            return ("\n".join(map("\t".join, zip(*cells, strict=True))) + "\n").encode()
        except UnicodeEncodeError:
            raise self._name_surrogate(columns, first_row) from None

    def encode_column(self, place: int, values: Values, first_row: int) -> Sequence[str]:
        """One column's cells; raises Inexact."""
        return self._columns[place].encode(values, first_row)

    def _name_surrogate(self, columns: Sequence[Values], first_row: int) -> Inexact:
        for column, values in zip(self._columns, columns, strict=True):
            for number, value in enumerate(values, start=first_row):
                if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
                    return column.refuse(number, "it holds half a character, which UTF-8 cannot hold", value)
        return Inexact("A value holds half a character, which UTF-8 cannot hold.")


class _Known(dict[Any, str]):
    """Numbers and their texts. `new` are the texts that came since somebody has looked at them."""

    def __init__(self) -> None:
        super().__init__()
        self.new: list[str] = []

    def __missing__(self, number: Any) -> str:
        text = self[number] = repr(number)
        self.new.append(text)
        return text


class _ColumnEncoder:
    """A column as a rule goes on as it began: what the block before held is tried first."""

    def __init__(self, name: str, type_text: str, exact: bool) -> None:
        self._name = name
        self._type = type_text
        self._rule: Rule | None = build_rule(type_text) if exact else None
        self._keeps_decimals = build_decimal_look(type_text) if exact else None
        self._write = _choose_writers(type_text)
        self._held_text = False
        self._known: _Known | None = _Known()

    def encode(self, values: Values, first_row: int) -> Sequence[str]:
        if self._held_text and (texts := self._write_texts(values)) is not None:
            return texts
        kinds = frozenset(map(type, values))
        self._held_text = kinds == _ONLY_TEXT and str not in self._write
        present = [value for value in values if value is not None] if _NOTHING in kinds else values
        kinds -= _ONLY_NULL
        texts = self._write_decimals(present) if kinds and kinds <= _NUMBERS else None
        if texts is None:
            if self._rule is not None and not kinds <= self._rule.safe:
                self._check(values, present, kinds, first_row, self._rule)
            texts = self._write_kinds(values, present, kinds, first_row)
        return texts if len(texts) == len(values) else _put_nulls(values, texts)

    def _write_texts(self, values: Values) -> Sequence[str] | None:
        """A column that is text alone and fits at a glance; None where that cannot be said."""
        try:
            joined = "".join(values)
        except TypeError:
            return None
        if "\0" in joined or not self._fit_at_a_glance(values, str):
            return None
        return escape_all(values, joined)

    def _fit_at_a_glance(self, present: Sequence[Any], kind: type) -> bool:
        rule = self._rule
        return rule is None or kind in rule.safe or (kind in rule.glances and rule.glances[kind](present))

    def _write_decimals(self, numbers: Sequence[Any]) -> Sequence[str] | None:
        """Numbers of a column of so many decimals, looked at once they are written; None where that does not do.

        Few of them differ as a rule; those that are equal (1 and 1.0, 0.0 and -0.0) are one decimal.
        """
        if self._keeps_decimals is None:
            return None
        if self._known is None:
            written = list(map(repr, numbers))
            return written if self._keeps_decimals(written) else None
        known, new = self._known, self._known.new
        written = list(map(known.__getitem__, numbers))
        is_kept = not new or self._keeps_decimals(new)
        if not is_kept:
            known.clear()
        elif 2 * len(new) > len(numbers) > 1 or len(known) > _MOST_KNOWN:
            self._known = None
        new.clear()
        return written if is_kept else None

    def _write_kinds(
        self, values: Values, present: Sequence[Any], kinds: frozenset[type], first_row: int
    ) -> Sequence[str]:
        """What is not NULL, as cells."""
        if str in kinds:
            joined = "".join(present if kinds == _ONLY_TEXT else [value for value in present if type(value) is str])
            if "\0" in joined:
                raise self._name_nul(values, first_row)
            if kinds == _ONLY_TEXT and str not in self._write:
                return escape_all(present, joined)
        if kinds == _ONLY_INT:
            return ("%d\n" * len(present) % tuple(present)).split("\n")[:-1]
        write = {kind: self._choose_writer(kind, values, first_row) for kind in kinds}
        if len(write) == 1:
            return list(map(write.popitem()[1], present))
        return [write[type(value)](value) for value in present]

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
        if len(kinds) == 1 and self._fit_at_a_glance(present, next(iter(kinds))):
            return
        safe, check = rule.safe, rule.check
        for number, value in enumerate(values, start=first_row):
            if type(value) not in safe and (reason := check(value)):
                raise self.refuse(number, reason, value)

    def _name_nul(self, values: Values, first_row: int) -> Inexact:
        place = next(place for place, value in enumerate(values) if type(value) is str and "\0" in value)
        return self.refuse(first_row + place, "text cannot hold a NUL character", values[place])


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
