# The text of staging, its index, its checks and the merge in MySQL's and MariaDB's words. Pure text.
"""Tables are joined to be deleted from and updated: DELETE takes no alias there otherwise, and an index serves.

Rows that are new are found with NOT IN, which is answered from a hash of the dest's keys where it has no index.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipekit.drivers.base import StagedColumn
from pipekit.drivers.jdbc.merge import MergeText, Quote
from pipekit.drivers.jdbc.mysql.types import parse_type
from pipekit.runner.base import Statement

# What is made by Pipekit rolls back, holds every character, and tells two texts apart that are not the same.
TABLE_OPTIONS = "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
# An index takes 3072 bytes of a row; each character may need four.
_MOST_KEY_BYTES = 3072
_PREFIX = 64
_LONG = ("TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "JSON", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB")


@dataclass(frozen=True, slots=True)
class MysqlMerge(MergeText):
    """The statements of one merge."""

    def build_index(self) -> tuple[str, ...]:
        """Long texts are indexed by their beginnings."""
        if not self.plan.key:
            return ()
        columns = self._key_columns()
        sizes = [_count_bytes(column.stage_type or column.dest.type) for column in columns]
        is_long = None in sizes or sum(size or 0 for size in sizes) > _MOST_KEY_BYTES
        parts = [
            self.quote(column.dest.name) + (f"({_PREFIX})" if is_long and (size is None or size > 4 * _PREFIX) else "")
            for column, size in zip(columns, sizes, strict=True)
        ]
        name = self.quote("pipekit_key")
        return (f"CREATE INDEX {name} ON {self.table(self.plan.staging)} ({', '.join(parts)})",)

    def build(self) -> tuple[Statement, ...]:
        """The merge between the ledger row and the commit."""
        if self.plan.strategy != "upsert" or self.plan.null_keys:
            return MergeText.build(self)
        return (self._build_update(), self._build_insert(f"\nWHERE {self._build_new()}"))

    def _build_new(self) -> str:
        staged = ", ".join(self._value(column) for column in self._key_columns())
        kept = ", ".join(f"d.{name}" for name in self._keys())
        known = " AND ".join(f"d.{name} IS NOT NULL" for name in self._keys())
        inner = f"SELECT {kept} FROM {self.table(self.plan.dest)} d WHERE {known}"
        return f"({staged}) NOT IN ({inner})"

    def _build_keyed_delete(self) -> Statement:
        text = f"DELETE d FROM {self._join()}"
        return Statement(sql=text, name="deleted")

    def _build_update(self) -> Statement:
        changed = [column for column in self.plan.columns if column.dest.name not in self.plan.key]
        sets = ", ".join(f"d.{self.quote(c.dest.name)} = {self._value(c)}" for c in changed)
        sets = sets or f"d.{self._keys()[0]} = d.{self._keys()[0]}"
        return Statement(sql=f"UPDATE {self._join()}\nSET {sets}", name="updated")

    def _join(self) -> str:
        return f"{self.table(self.plan.dest)} d JOIN {self.table(self.plan.staging)} s\nON {self._match()}"

    def _match(self) -> str:
        if not self.plan.null_keys:
            return MergeText._match(self)
        pairs = [(f"d.{self.quote(column.dest.name)}", self._value(column)) for column in self._key_columns()]
        return " AND ".join(f"{dest} <=> {staged}" for dest, staged in pairs)

    def _value(self, column: StagedColumn) -> str:
        """The INSERT converts by itself, and strictly."""
        return f"s.{self.quote(column.dest.name)}"

    def _build_changed(self, column: StagedColumn) -> str:
        """Of a double for a FLOAT column, which is all that is staged as another type."""
        name = self.quote(column.dest.name)
        numbered = f"SELECT {self.product.row_number} AS pipekit_row, t.{name} FROM {self.table(self.plan.staging)} t"
        back = f"CAST(CAST(s.{name} AS FLOAT) AS DOUBLE)"
        return f"SELECT s.pipekit_row, s.{name}\nFROM (\n{numbered}\n) s\nWHERE {back} <> s.{name}"

    def _build_text(self, value: str, type_text: str) -> str:
        return f"COALESCE({self.product.as_text.format(value=value)}, 'NULL')"


def build_staging(drop: str, table: str, columns: Sequence[StagedColumn], quote: Quote) -> tuple[str, ...]:
    """Drops and makes the staging table with the dest's types, character sets and collations."""
    lines = [
        f"{quote(column.dest.name)} {column.stage_type or column.dest.type}{spell_null(column.dest.nullable)}"
        for column in columns
    ]
    body = ",\n  ".join(lines)
    return (drop, f"CREATE TABLE {table} (\n  {body}\n) {TABLE_OPTIONS}")


def spell_null(nullable: bool) -> str:
    """Always said: a TIMESTAMP that takes NULL without saying so becomes the time of the INSERT on older servers."""
    return " NULL" if nullable else " NOT NULL"


def _count_bytes(type_text: str) -> int | None:
    """The most bytes that a column takes in an index, None for one that has no limit."""
    type_ = parse_type(type_text)
    if type_.base in _LONG:
        return None
    if type_.base in ("CHAR", "VARCHAR"):
        return 4 * (type_.first or 1)
    return type_.first or 1 if type_.base in ("BINARY", "VARBINARY") else 16
