# The phrases that merges over JDBC are made of: values, matches, an INSERT, a DELETE, an UPDATE. Pure text.
"""`MergePhrases`, for one product and one merge."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipekit.drivers.base import MergePlan, StagedColumn, TableName
from pipekit.drivers.jdbc.products import Product
from pipekit.drivers.jdbc.types import parse_type, to_neutral
from pipekit.errors import Invalid
from pipekit.runner_contract import Statement

Quote = Callable[[str], str]

# Stands behind a text where blanks at its end would else not be compared.
END = "|"
END_BYTE = "7c"
# Characters from which on a text is cut before it is shown as a key.
_LONG = 2000
# Values of these that are equal are the same.
_IDENTICAL = frozenset({"bool", "int16", "int32", "int64", "date", "time", "timestamp", "uuid", "bytes"})


@dataclass(frozen=True, slots=True)
class MergePhrases:
    """The phrases of one merge; `quote` quotes a name, `literal` a text, `table` a table with its schema."""

    product: Product
    plan: MergePlan
    quote: Quote
    literal: Quote
    table: Callable[[TableName], str]
    # Columns that are written last: what they refer to is then there.
    late: tuple[str, ...] = ()

    @property
    def dest(self) -> str:
        """The dest in FROM, UPDATE and DELETE; tables that inherit from it are not part of it."""
        return f"{'ONLY ' if self.plan.only else ''}{self.table(self.plan.dest)}"

    def build_insert(self, where: str = "") -> Statement:
        """Of all staged rows `s`, or of those of a condition."""
        names = ", ".join(self.quote(column.dest.name) for column in self.plan.columns)
        values = ", ".join(self._build_inserted(column) for column in self.plan.columns)
        overriding = " OVERRIDING SYSTEM VALUE" if any(column.dest.identity for column in self.plan.columns) else ""
        into = f"INSERT INTO {self.table(self.plan.dest)} ({names}){overriding}"
        return Statement(sql=f"{into}\nSELECT {values}\nFROM {self.table(self.plan.staging)} s{where}", name="inserted")

    def _build_inserted(self, column: StagedColumn) -> str:
        """NULL in a form that has a type, as Derby wants it, for what comes last."""
        value = self.value(column)
        return f"NULLIF({value}, {value})" if column.dest.name in self.late else value

    def _build_keyed_delete(self) -> Statement:
        return self.build_delete(self._build_found("staging", "s", self.plan.key))

    def build_delete(self, condition: str) -> Statement:
        """Of the dest rows `d` of a condition."""
        alias = "d " if self.product.alias_first else ""
        text = f"DELETE {alias}FROM {self.dest} d\nWHERE {condition}"
        return Statement(sql=text, name="deleted")

    def build_update(self, key: Sequence[str], scope: str = "", only: Sequence[str] = ()) -> Statement:
        """Of the dest rows `d` whose key was staged, and more conditions (` AND ...`).

        With nothing but the key to write, the key is written over itself, so that the matches are counted.
        """
        dest, staging = self.dest, self.table(self.plan.staging)
        changed = self.list_changed(key, only)
        if self.product.merges and changed and not scope:
            sets = ", ".join(f"{self.quote(c.dest.name)} = {self.value(c)}" for c in changed)
            match = self.match(key, "d", "s", self._nulls(key))
            text = f"MERGE INTO {dest} d\nUSING {staging} s ON {match}\nWHEN MATCHED THEN UPDATE SET {sets}"
            return Statement(sql=text, name="updated")
        sets = ", ".join(f"{self.quote(c.dest.name)} = {self._build_lookup(c, key)}" for c in changed)
        first = self.quote(key[0])
        sets = sets or f"{first} = d.{first}"
        head, behind = ("d", f"\nFROM {dest} d") if self.product.alias_first else (f"{dest} d", "")
        text = f"UPDATE {head}\nSET {sets}{behind}\nWHERE {self._build_found('staging', 's', key)}{scope}"
        return Statement(sql=text, name="updated")

    def list_changed(self, key: Sequence[str], only: Sequence[str] = ()) -> list[StagedColumn]:
        """The columns that an update writes: all but the key and those that come last, or `only` some.

        A key that is equal may still be another value, so it is written where a product was seen to allow it.
        """
        if self.product.compares:
            key = [name for name in key if not self._may_differ(name)]
        kept = {*key, *self.late} if not only else {*(c.dest.name for c in self.plan.columns)} - {*only}
        return [column for column in self.plan.columns if column.dest.name not in kept]

    def _may_differ(self, name: str) -> bool:
        dest = next(column.dest for column in self.plan.columns if column.dest.name == name)
        neutral = to_neutral(dest.type)
        is_one = neutral.name in _IDENTICAL or (neutral.name == "decimal" and neutral.precision is not None)
        return not is_one and not dest.identity

    def _build_lookup(self, column: StagedColumn, key: Sequence[str]) -> str:
        match = self.match(key, "d", "s", self._nulls(key))
        return f"(SELECT {self.value(column)} FROM {self.table(self.plan.staging)} s WHERE {match})"

    def _build_found(self, side: str, alias: str, key: Sequence[str]) -> str:
        table = self.table(self.plan.dest if side == "dest" else self.plan.staging)
        return f"EXISTS (SELECT 1 FROM {table} {alias} WHERE {self.match(key, 'd', 's', self._nulls(key))})"

    def _nulls(self, key: Sequence[str]) -> bool:
        return self.plan.null_keys and tuple(key) == self.plan.key

    def match(self, key: Sequence[str], dest: str, staged: str, nulls: bool = False) -> str:
        """Equality by a key of two aliases; with `nulls` a NULL equals a NULL."""
        by_name = {column.dest.name: column for column in self.plan.columns}
        pairs = [(f"{dest}.{self.quote(name)}", self.value(by_name[name], staged)) for name in key]
        return " AND ".join(self.equal(held, value, nulls) for held, value in pairs)

    def equal(self, held: str, value: str, nulls: bool) -> str:
        """Equality of two values."""
        return f"({held} = {value} OR ({held} IS NULL AND {value} IS NULL))" if nulls else f"{held} = {value}"

    def build_same(self, value: str, type_text: str) -> str:
        """A value in which equal means the same; `""` for one that this database does not compare."""
        neutral = to_neutral(type_text)
        if neutral.name == "other" and not type_text.upper().startswith("INTERVAL"):
            return self.product.compare_other.format(value=value)
        if neutral.name in ("json", "xml") or (neutral.name in ("text", "bytes") and neutral.length is None):
            of_bytes = self.product.compare_long_bytes if neutral.name == "bytes" else ""
            return (of_bytes or self.product.compare_long).format(value=value)
        if self.product.pads and neutral.name in ("text", "char"):
            return self.join_texts([value, self.literal(END)])
        if self.product.pads and parse_type(type_text).is_bits:
            return self.join_texts([value, f"X'{END_BYTE}'"])
        return value

    def join_texts(self, texts: Sequence[str]) -> str:
        """Texts put together."""
        return " || ".join(texts)

    def value(self, column: StagedColumn, alias: str = "s") -> str:
        """A staged value as the dest takes it."""
        value = f"{alias}.{self.quote(column.dest.name)}"
        return value if column.stage_type is None else f"CAST({value} AS {column.dest.type})"

    def _keys(self) -> list[str]:
        return [self.quote(name) for name in self.plan.key]

    def _key_columns(self) -> list[StagedColumn]:
        if not self.plan.key:
            raise Invalid(f"The strategy '{self.plan.strategy}' needs a merge key.", field="merge_key")
        by_name = {column.dest.name: column for column in self.plan.columns}
        return [by_name[name] for name in self.plan.key]

    def _build_example(self, columns: Sequence[StagedColumn], alias: str, *, converted: bool = False) -> str:
        """A key as text: `a = 1, b = x`; its first value alone where texts are not joined by `||`."""
        texts = []
        for column in columns:
            type_text = column.dest.type if converted or column.stage_type is None else column.stage_type
            texts.append(self._build_text(f"{alias}{self.quote(column.dest.name)}", type_text))
        if not self.product.concatenates:
            return texts[0]
        named = [f"{self.literal(c.dest.name + ' = ')} || {text}" for c, text in zip(columns, texts, strict=True)]
        return f" || {self.literal(', ')} || ".join(named)

    def _build_text(self, value: str, type_text: str) -> str:
        neutral = to_neutral(type_text)
        if neutral.name in self.product.no_text:
            return self.literal(f"({neutral.name})")
        text = value
        if neutral.name not in ("text", "char") or (neutral.length or _LONG) >= _LONG:
            text = self.product.as_text.format(value=value)
        return f"COALESCE({text}, 'NULL')"
