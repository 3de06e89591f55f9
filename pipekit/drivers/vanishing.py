# Dest rows whose key the source no longer has: found by a table of keys, deleted or marked. Pure text; knows no kind.
"""`Vanishing`, a part of `drivers.base.Driver`, and `VanishingText`, what a kind says for it.

A plan with `gone` is about these rows: its `staging` is the table of the keys that are there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import ClassVar

from pipekit.drivers.facts import MergePlan
from pipekit.drivers.tables import TableName
from pipekit.runner_contract import Statement

Quote = Callable[[str], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class VanishingText:
    """How a kind writes it: `dest` is what follows FROM, its rows called `alias`; `known` says that a key is there.

    `delete` takes a condition, `update` what is set and a condition; `before` comes first.
    """

    dest: str
    alias: str
    known: str
    delete: Callable[[str], str]
    update: Callable[[str, str], str]
    before: tuple[Statement, ...] = ()


class Vanishing:
    """What all kinds share."""

    quote_identifier: Quote
    quote_table: Callable[[TableName], str]
    max_identifier_bytes: ClassVar[int]

    def build_vanishing(self, plan: MergePlan) -> VanishingText:
        """How this kind writes it."""
        raise NotImplementedError

    def build_merge_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        """As `drivers.base.Driver` says."""
        raise NotImplementedError

    def build_around(
        self, plan: MergePlan, before: Sequence[Statement], behind: Sequence[Statement]
    ) -> tuple[Statement, ...]:
        """The merge with what else changes the dest."""
        return (*before, *self.build_merge_sql(plan), *behind)

    def build_changes_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        """The merge, and what becomes of rows that are gone.

        A unique value of one that is deleted is free for rows that come; these come without a mark.
        """
        absent = plan.absent
        if absent is None or absent.gone is None or plan.history:
            return self.build_merge_sql(plan)
        gone = self.build_gone_sql(absent)
        return self.build_around(plan, *(((), gone) if absent.gone.mark else (gone, ())))

    def name_keys(self, staging: TableName) -> TableName:
        """The table of keys beside a staging table: no module is called so."""
        name, longest = f"{staging.name}~keys", self.max_identifier_bytes
        if len(name) > longest:
            name = f"{staging.name[: longest - 11]}~{sha256(staging.name.encode()).hexdigest()[:10]}"
        return replace(staging, name=name)

    def build_gone_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        """Counts `gone`, or `marked` and `unmarked`."""
        text, gone = self.build_vanishing(plan), plan.gone
        condition = self._build_gone(plan, text)
        if gone is None or not gone.mark:
            return (*text.before, Statement(sql=text.delete(condition), name="gone"))
        mark = self.quote_identifier(gone.mark)
        back = f"{text.alias}.{mark} IS NOT NULL AND {text.known}"
        return (
            *text.before,
            Statement(sql=text.update(f"{mark} = {gone.at}", condition), name="marked"),
            Statement(sql=text.update(f"{mark} = NULL", back), name="unmarked"),
        )

    def build_gone_rows(self, plan: MergePlan) -> str:
        """The rows that go, as a query from its FROM on."""
        text = self.build_vanishing(plan)
        return f"FROM {text.dest}\nWHERE {self._build_gone(plan, text)}"

    def build_present_count_sql(self, plan: MergePlan) -> str:
        """One cell: of how many rows."""
        text = self.build_vanishing(plan)
        scope = build_scope(plan, text.alias, self.quote_identifier)
        return f"SELECT COUNT(*) FROM {text.dest}" + (f"\nWHERE {scope}" if scope else "")

    def build_known_count_sql(self, plan: MergePlan, staging: TableName) -> str:
        """One cell: how many rows of a staging table have a key that is there."""
        same = " AND ".join(f"k.{name} = s.{name}" for name in map(self.quote_identifier, plan.key))
        keys = self.quote_table(plan.staging)
        return f"SELECT COUNT(*) FROM {self.quote_table(staging)} s\nWHERE EXISTS (SELECT 1 FROM {keys} k WHERE {same})"

    def build_keep_sql(self, plan: MergePlan, staging: TableName) -> str:
        """Adds the keys of a staging table to those that are there."""
        names = ", ".join(map(self.quote_identifier, plan.key))
        return (
            f"INSERT INTO {self.quote_table(plan.staging)} ({names})\nSELECT {names} FROM {self.quote_table(staging)}"
        )

    def _build_gone(self, plan: MergePlan, text: VanishingText) -> str:
        return build_gone(plan, text.known, text.alias, self.quote_identifier)


def build_gone(plan: MergePlan, known: str, alias: str, quote: Quote) -> str:
    """A condition for the dest rows that go; `known` says that the key of such a row is there."""
    scope = build_scope(plan, alias, quote)
    return f"{scope}{' AND ' if scope else ''}NOT {known}"


def build_scope(plan: MergePlan, alias: str, quote: Quote) -> str:
    """A condition for the dest rows that are looked at; one with a NULL in its key has no key, unless NULLs match."""
    gone = plan.gone
    parts = [f"(\n{gone.scope}\n)"] if gone and gone.scope else []
    parts += [f"{alias}.{quote(gone.mark)} IS NULL"] if gone and gone.mark else []
    nullable = {column.dest.name for column in plan.columns if column.dest.nullable and not plan.null_keys}
    parts += [f"{alias}.{quote(name)} IS NOT NULL" for name in plan.key if name in nullable]
    return " AND ".join(parts)
