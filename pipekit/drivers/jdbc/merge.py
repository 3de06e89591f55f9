# The text of staging, its checks and the merge over JDBC, in SQL that the products share. Pure text.
"""How rows come into a dest table: staging, checks, merge.

No statement uses what only some databases have: rows are emptied by DELETE, matched by EXISTS, updated by MERGE where
there is one. Table aliases stand without AS, which Oracle does not take.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipekit.drivers.base import StagedColumn, TableName
from pipekit.drivers.jdbc.keeping import KeepingText
from pipekit.drivers.jdbc.names import fit_name
from pipekit.drivers.jdbc.phrases import MergePhrases, Quote
from pipekit.runner_contract import Statement


@dataclass(frozen=True, slots=True)
class MergeText(MergePhrases):
    """The statements of one merge."""

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
        staging, schema = self.plan.staging, self.plan.staging.schema if self.product.index_in_schema else None
        name = self.table(TableName(schema=schema, name=fit_name(self.product, staging.name, f".key{number or ''}")))
        return f"CREATE INDEX {name} ON {self.table(staging)} ({', '.join(map(self.quote, key))})"

    def build(self) -> tuple[Statement, ...]:
        """The merge between the ledger row and the commit."""
        late = self._find_late()
        if not late:
            return self._build_merge()
        plan, text = self.plan, replace(self, late=late)
        scope = KeepingText(self).build_scope_where() if plan.strategy == "incremental" else ""
        nulls = ", ".join(f"{self.quote(name)} = NULL" for name in late)
        clear = Statement(sql=f"UPDATE {self.dest} d\nSET {nulls}{scope}")
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
            return (Statement(sql=f"DELETE FROM {self.dest}", name="deleted"), self.build_insert())
        if strategy == "incremental":
            return (self._build_keyed_delete(), self.build_insert())
        if strategy == "upsert":
            return (self.build_update(key), self.build_insert(f"\nWHERE NOT {self._build_found('dest', 'd', key)}"))
        return (self.build_insert(),)

    def _build_changed(self, column: StagedColumn) -> str:
        """Numbers the rows and keeps the first whose value does not come back from the dest's type."""
        name = self.quote(column.dest.name)
        back = f"CAST(CAST(s.{name} AS {column.dest.type}) AS {column.stage_type})"
        row = self.product.row_number
        numbered = f"SELECT {row} AS pipekit_row, t.{name} FROM {self.table(self.plan.staging)} t"
        return f"SELECT s.pipekit_row, s.{name}\nFROM (\n{numbered}\n) s\nWHERE {back} <> s.{name}"


def build_staging(drop: str, table: str, columns: Sequence[StagedColumn], quote: Quote) -> tuple[str, ...]:
    """Drops and makes the staging table with the dest's types, or the source's where a value must be looked at."""
    lines = []
    for column in columns:
        null = "" if column.dest.nullable else " NOT NULL"
        lines.append(f"{quote(column.dest.name)} {column.stage_type or column.dest.type}{null}")
    body = ",\n  ".join(lines)
    return (drop, f"CREATE TABLE {table} (\n  {body}\n)")
