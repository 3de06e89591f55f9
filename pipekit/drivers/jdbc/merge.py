# The text of staging, its checks and the merge over JDBC, in SQL that the products share. Pure text.
"""How rows come into a dest table: staging, checks, merge.

No statement uses what only some databases have: rows are emptied by DELETE, matched by EXISTS, updated by MERGE where
there is one. Table aliases stand without AS, which Oracle does not take.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pipekit.drivers.base import MergePlan, StagedColumn, TableName
from pipekit.drivers.jdbc.keeping import KeepingText
from pipekit.drivers.jdbc.products import Product
from pipekit.drivers.jdbc.types import to_neutral
from pipekit.errors import Invalid
from pipekit.runner_contract import Statement

Quote = Callable[[str], str]

# Characters from which on a text is cut before it is shown as a key.
_LONG = 2000


@dataclass(frozen=True, slots=True)
class MergeText:
    """The statements of one merge; `quote` quotes a name, `literal` a text, `table` a table with its schema."""

    product: Product
    plan: MergePlan
    quote: Quote
    literal: Quote
    table: Callable[[TableName], str]
    # Columns that are written last: what they refer to is then there.
    late: tuple[str, ...] = ()

    def build_null_key(self) -> str:
        """How many staged rows have a NULL in the key, and one of their keys."""
        missing = " OR ".join(f"s.{name} IS NULL" for name in self._keys())
        example = self._build_example(self._key_columns(), "s.")
        return f"SELECT COUNT(*), MIN({example})\nFROM {self.table(self.plan.staging)} s\nWHERE {missing}"

    def build_repeated_key(self) -> str:
        """How many keys stand more than once in staging, and one of them."""
        keys = ", ".join(f"{self.value(column)} AS {self.quote(column.dest.name)}" for column in self._key_columns())
        grouped = ", ".join(f"k.{name}" for name in self._keys())
        example = self._build_example(self._key_columns(), "r.", converted=True)
        inner = f"SELECT {keys} FROM {self.table(self.plan.staging)} s"
        repeated = f"SELECT {grouped} FROM (\n  {inner}\n) k\nGROUP BY {grouped}\nHAVING COUNT(*) > 1"
        return f"SELECT COUNT(*), MIN({example})\nFROM (\n{repeated}\n) r"

    def build_exactness(self) -> tuple[tuple[str, str], ...]:
        """For each lossy column the first staged row whose value the dest would change."""
        return tuple((c.dest.name, self._build_changed(c)) for c in self.plan.columns if c.lossy and c.stage_type)

    def build_index(self) -> tuple[str, ...]:
        """An index on the staged key: without it the databases without hash joins compare each row with each."""
        keys = dict.fromkeys(key for key in (self.plan.key, self.plan.row_key if self.plan.keeps else ()) if key)
        return tuple(self._build_one_index(key, number) for number, key in enumerate(keys))

    def _build_one_index(self, key: Sequence[str], number: int) -> str:
        staging, suffix = self.plan.staging, f".key{number or ''}"
        name = self.table(TableName(schema=staging.schema, name=f"{staging.name}{suffix}"))
        if not self.product.index_in_schema:
            name = self.quote(f"{staging.name}{suffix}")
        return f"CREATE INDEX {name} ON {self.table(staging)} ({', '.join(map(self.quote, key))})"

    def build(self) -> tuple[Statement, ...]:
        """The merge between the ledger row and the commit."""
        late = self._find_late()
        if not late:
            return self._build_merge()
        plan, text = self.plan, replace(self, late=late)
        scope = KeepingText(self).build_scope_where() if plan.strategy == "incremental" else ""
        nulls = ", ".join(f"{self.quote(name)} = NULL" for name in late)
        clear = Statement(sql=f"UPDATE {self.table(plan.dest)} d\nSET {nulls}{scope}")
        key = plan.key if plan.strategy == "upsert" else plan.row_key
        last = replace(text.build_update(key, only=late), name="")
        first = () if plan.strategy in ("append", "upsert") else (clear,)
        return (*first, *text._build_merge(), last)

    def _find_late(self) -> tuple[str, ...]:
        """The columns by which the dest refers to itself, where they are fed and may be empty meanwhile.

        H2 and MySQL look at each row before the next is there, the others at the end of a statement. So these columns
        are emptied before rows go, left empty as rows come, and written at the end, by a key that decides a row.
        """
        plan = self.plan
        key = plan.key if plan.strategy == "upsert" else plan.row_key
        if not plan.own or not key:
            return ()
        fed = {column.dest.name: column.dest.nullable for column in plan.columns}
        names = tuple(dict.fromkeys(name for item in plan.own for name in item.columns if name not in key))
        return names if all(fed.get(name, False) for name in names) else ()

    def _build_merge(self) -> tuple[Statement, ...]:
        strategy, key = self.plan.strategy, self.plan.key
        if strategy in ("incremental", "upsert"):
            self._key_columns()
        if self.plan.keeps:
            return KeepingText(self).build()
        if strategy == "full":
            return (Statement(sql=f"DELETE FROM {self.table(self.plan.dest)}", name="deleted"), self.build_insert())
        if strategy == "incremental":
            return (self._build_keyed_delete(), self.build_insert())
        if strategy == "upsert":
            return (self.build_update(key), self.build_insert(f"\nWHERE NOT {self._build_found('dest', 'd', key)}"))
        return (self.build_insert(),)

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
        text = f"DELETE {alias}FROM {self.table(self.plan.dest)} d\nWHERE {condition}"
        return Statement(sql=text, name="deleted")

    def build_update(self, key: Sequence[str], scope: str = "", only: Sequence[str] = ()) -> Statement:
        """Of the dest rows `d` whose key was staged, and more conditions (` AND ...`).

        With nothing but the key to write, the key is written over itself, so that the matches are counted.
        """
        dest, staging = self.table(self.plan.dest), self.table(self.plan.staging)
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
        """The columns that an update writes: all but the key and those that come last, or `only` some."""
        kept = {*key, *self.late} if not only else {*(c.dest.name for c in self.plan.columns)} - {*only}
        return [column for column in self.plan.columns if column.dest.name not in kept]

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
        is_long = neutral.name in ("json", "xml", "other") or (
            neutral.name in ("text", "bytes") and neutral.length is None
        )
        if is_long:
            return self.product.compare_long.format(value=value) if self.product.compare_long else ""
        return value

    def join_texts(self, texts: Sequence[str]) -> str:
        """Texts put together."""
        return " || ".join(texts)

    def value(self, column: StagedColumn, alias: str = "s") -> str:
        """A staged value as the dest takes it."""
        value = f"{alias}.{self.quote(column.dest.name)}"
        return value if column.stage_type is None else f"CAST({value} AS {column.dest.type})"

    def _build_changed(self, column: StagedColumn) -> str:
        """Numbers the rows and keeps the first whose value does not come back from the dest's type."""
        name = self.quote(column.dest.name)
        back = f"CAST(CAST(s.{name} AS {column.dest.type}) AS {column.stage_type})"
        row = self.product.row_number
        numbered = f"SELECT {row} AS pipekit_row, t.{name} FROM {self.table(self.plan.staging)} t"
        return f"SELECT s.pipekit_row, s.{name}\nFROM (\n{numbered}\n) s\nWHERE {back} <> s.{name}"

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


def build_staging(drop: str, table: str, columns: Sequence[StagedColumn], quote: Quote) -> tuple[str, ...]:
    """Drops and makes the staging table with the dest's types, or the source's where a value must be looked at."""
    lines = []
    for column in columns:
        null = "" if column.dest.nullable else " NOT NULL"
        lines.append(f"{quote(column.dest.name)} {column.stage_type or column.dest.type}{null}")
    body = ",\n  ".join(lines)
    return (drop, f"CREATE TABLE {table} (\n  {body}\n)")
