# The text of staging, its index, its checks and the merge in MySQL's and MariaDB's words. Pure text.
"""Tables are joined to be deleted from and updated: DELETE takes no alias there otherwise, and an index serves.

Rows that are new are found with NOT IN, which is answered from a hash of the dest's keys where it has no index.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipekit.drivers.base import StagedColumn
from pipekit.drivers.jdbc.merge import MergeText
from pipekit.drivers.jdbc.mysql.types import SHAPES, parse_type
from pipekit.drivers.jdbc.phrases import Quote
from pipekit.runner_contract import Statement

# What is made by Pipekit rolls back, holds every character, and tells two texts apart that are not the same.
TABLE_OPTIONS = "ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
# An index takes 3072 bytes of a row; each character may need four.
_MOST_KEY_BYTES = 3072
_PREFIX = 64
_LONG = ("TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "JSON", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB")


@dataclass(frozen=True, slots=True)
class MysqlMerge(MergeText):
    """The statements of one merge."""

    def _build_one_index(self, key: Sequence[str], number: int) -> str:
        """Long texts are indexed by their beginnings."""
        by_name = {column.dest.name: column for column in self.plan.columns}
        sizes = {name: _count_bytes(by_name[name].stage_type or by_name[name].dest.type) for name in key}
        is_long = None in sizes.values() or sum(size or 0 for size in sizes.values()) > _MOST_KEY_BYTES
        parts = [
            self.quote(name) + (f"({_PREFIX})" if is_long and (size is None or size > 4 * _PREFIX) else "")
            for name, size in sizes.items()
        ]
        name = self.quote(f"pipekit_key{number or ''}")
        return f"CREATE INDEX {name} ON {self.table(self.plan.staging)} ({', '.join(parts)})"

    def _build_merge(self) -> tuple[Statement, ...]:
        if self.plan.strategy != "upsert" or self.plan.null_keys or not self.plan.key:
            return MergeText._build_merge(self)
        return (self.build_update(self.plan.key), self.build_insert(f"\nWHERE {self._build_new()}"))

    def _build_new(self) -> str:
        staged = ", ".join(self.value(column) for column in self._key_columns())
        kept = ", ".join(f"d.{name}" for name in self._keys())
        known = " AND ".join(f"d.{name} IS NOT NULL" for name in self._keys())
        inner = f"SELECT {kept} FROM {self.table(self.plan.dest)} d WHERE {known}"
        return f"({staged}) NOT IN ({inner})"

    def _build_keyed_delete(self) -> Statement:
        return Statement(sql=f"DELETE d FROM {self._join(self.plan.key)}", name="deleted")

    def build_update(self, key: Sequence[str], scope: str = "", only: Sequence[str] = ()) -> Statement:
        changed = self.list_changed(key, only)
        sets = ", ".join(f"d.{self.quote(c.dest.name)} = {self.value(c)}" for c in changed)
        first = self.quote(key[0])
        text = f"UPDATE {self._join(key)}{scope}\nSET {sets or f'd.{first} = d.{first}'}"
        return Statement(sql=text, name="updated")

    def list_changed(self, key: Sequence[str], only: Sequence[str] = ()) -> list[StagedColumn]:
        texts = [column.dest.name for column in self.plan.columns if _is_text(column)]
        return MergeText.list_changed(self, [name for name in key if name not in texts], only)

    def _join(self, key: Sequence[str]) -> str:
        match = self.match(key, "d", "s", self._nulls(key))
        return f"{self.table(self.plan.dest)} d JOIN {self.table(self.plan.staging)} s\nON {match}"

    def equal(self, held: str, value: str, nulls: bool) -> str:
        return f"{held} {'<=>' if nulls else '='} {value}"

    def value(self, column: StagedColumn, alias: str = "s") -> str:
        """The INSERT converts by itself, and strictly."""
        return f"{alias}.{self.quote(column.dest.name)}"

    def build_same(self, value: str, type_text: str) -> str:
        """Texts by their bytes, whatever their collation; long ones by a digest, as they are sorted by a beginning."""
        if _count_bytes(type_text) is None or parse_type(type_text).base in SHAPES:
            return f"SHA2({value}, 256)"
        return f"BINARY {value}" if parse_type(type_text).base in ("CHAR", "VARCHAR", "ENUM", "SET") else value

    def join_texts(self, texts: Sequence[str]) -> str:
        return f"CONCAT({', '.join(texts)})"

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


def _is_text(column: StagedColumn) -> bool:
    """A key that a collation takes for equal may still be another text: a is A, and both are a with a blank."""
    return parse_type(column.dest.type).base in ("CHAR", "VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT")


def _count_bytes(type_text: str) -> int | None:
    """The most bytes that a column takes in an index, None for one that has no limit."""
    type_ = parse_type(type_text)
    if type_.base in _LONG:
        return None
    if type_.base in ("CHAR", "VARCHAR"):
        return 4 * (type_.first or 1)
    return type_.first or 1 if type_.base in ("BINARY", "VARBINARY") else 16
