# Versions of rows that are kept as time goes on: which end, which begin, in SQL. Pure text; knows no kind.
"""`Versioning`, a part of `drivers.base.Driver`, and `VersionsText`, what a kind says for it.

A version is open while its column of the end is NULL. A staged row that differs in nothing from the open version of its
key is left alone; where it differs that one ends and the staged row begins, both at the time of the run; the open
version of a key that is gone ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pipekit.drivers.bags import Bags
from pipekit.drivers.facts import Gone, History, Look, MergePlan
from pipekit.drivers.foreseen import Foreseen, Rows
from pipekit.drivers.tables import TableName
from pipekit.drivers.types import Type
from pipekit.drivers.vanishing import VanishingText
from pipekit.errors import Invalid
from pipekit.runner_contract import Statement

_AMBIGUOUS = (
    "After the merge not every staged key had one open version in {dest}: {{got}} more or less than were staged."
)
_AMBIGUOUS_HINT = "End the open versions of a key but one, or choose a key that decides a row."
_LATE = (
    "{{got}} versions in {dest} began or ended at the time of this run, or after it, as after a clock that was set"
    " back, or where {end} holds days alone and there is a second run on a day."
)
_LATE_HINT = "Set the clock right and run again; a column with the time of day tells the runs of a day apart."


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionsText:
    """How a kind writes it, beside `rows`: `staging` is what follows FROM, its rows called `staged`.

    `same` says that a dest row has a staged one's key, `differs` that they are not the same row; `values` are the
    staged values as the dest takes them.
    """

    rows: VanishingText
    staging: str
    same: str
    differs: str
    values: Sequence[str]


class Versioning:
    """A kind that compares no rows keeps no versions."""

    can_version: ClassVar[bool] = False
    quote_identifier: Callable[[str], str]
    quote_table: Callable[[TableName], str]
    to_neutral: Callable[[str], Type]
    build_vanishing: Callable[[MergePlan], VanishingText]
    build_bags: Callable[[MergePlan], Bags | None]
    build_gone_rows: Callable[[MergePlan], str]

    def build_versions(self, plan: MergePlan) -> VersionsText:
        """How this kind writes it; asked where `can_version`."""
        raise NotImplementedError

    def quote_flag(self, flag: bool, type_text: str) -> str:
        """Yes or no as a value of this type. Raises Invalid for one that holds neither."""
        name = self.to_neutral(type_text).name
        if name not in ("bool", "int16", "int32", "int64", "decimal"):
            raise Invalid(f"{type_text} holds no yes or no.", hint="Take a column of a boolean, or of whole numbers.")
        return self._write_flag(flag) if name == "bool" else str(int(flag))

    def _write_flag(self, flag: bool) -> str:
        return "TRUE" if flag else "FALSE"

    def get_ended(self, plan: MergePlan) -> MergePlan:
        """The plan for versions whose key is gone: by the keys that were read, else by what was staged."""
        history = get_history(plan)
        known = plan.absent or replace(plan, history=None)
        scope = f"{self.quote_identifier(history.end)} IS NULL"
        given = f" AND (\n{known.gone.scope}\n)" if known.gone and known.gone.scope else ""
        return replace(known, gone=Gone(scope=scope + given))

    def build_versions_sql(self, plan: MergePlan) -> tuple[Statement, ...]:
        """Counts `changed` and `ended` versions, and those that are `inserted`."""
        text, history, ended = self.build_versions(plan), get_history(plan), self.get_ended(plan)
        gone = self.build_vanishing(ended)
        names = [column.dest.name for column in plan.columns]
        names += [history.start, history.end, history.current]
        begins = [*text.values, history.begins_at, "NULL", history.yes]
        listed = ", ".join(map(self.quote_identifier, names))
        ends = f"{self.quote_identifier(history.end)} = {history.ends_at}"
        ends += f", {self.quote_identifier(history.current)} = {history.no}"
        overriding = self._override(plan)
        known = f"SELECT 1 FROM {text.rows.dest} WHERE {self._build_met(plan, text)}"
        insert = (
            f"INSERT INTO {self.quote_table(plan.dest)} ({listed}){overriding}\nSELECT {', '.join(begins)}\n"
            f"FROM {text.staging}\nWHERE NOT EXISTS ({known})"
        )
        return (
            *text.rows.before,
            Statement(sql=text.rows.update(ends, self._build_changed(plan, text)), name="changed"),
            Statement(sql=gone.update(ends, self.build_gone_rows(ended).split("\nWHERE ", 1)[1]), name="ended"),
            Statement(sql=insert, name="inserted"),
            self._build_doubt(plan, text),
            self._build_late(plan, text),
        )

    def _override(self, plan: MergePlan) -> str:
        return ""

    def build_versions_foreseen(self, plan: MergePlan, found: Foreseen) -> Foreseen:
        """What `build_versions_sql` would count; `found` has the expressions of either side."""
        text, ended = self.build_versions(plan), self.get_ended(plan)
        same = f"{self._build_met(plan, text)} AND NOT ({text.differs})"
        begins = f"FROM {text.staging}\nWHERE NOT EXISTS (SELECT 1 FROM {text.rows.dest} WHERE {same})"
        changed = f"FROM {text.rows.dest}, {text.staging}\nWHERE {self._build_met(plan, text)} AND ({text.differs})"
        return replace(
            found,
            rows={
                "changed": (Rows(source=changed, held=True, staged=True),),
                "ended": (Rows(source=self.build_gone_rows(ended), held=True),),
                "inserted": (Rows(source=begins, staged=True),),
            },
            before=text.rows.before,
        )

    def build_versions_look(self, plan: MergePlan) -> Look | None:
        """What the open versions of the staged keys are against what was staged."""
        bags = self.build_bags(replace(plan, strategy="upsert"))
        if bags is None:
            return None
        open_ = self._build_open(plan, self.build_versions(plan).rows.alias)
        return replace(bags, scope=" AND ".join(filter(None, (bags.scope, open_)))).build_look(both=True)

    def _build_open(self, plan: MergePlan, alias: str) -> str:
        return f"{alias}.{self.quote_identifier(get_history(plan).end)} IS NULL"

    def _build_met(self, plan: MergePlan, text: VersionsText) -> str:
        """The open version `d` of a staged key."""
        return f"{self._build_open(plan, text.rows.alias)} AND {text.same}"

    def _build_changed(self, plan: MergePlan, text: VersionsText) -> str:
        found = f"{text.same} AND ({text.differs})"
        return f"{self._build_open(plan, text.rows.alias)} AND EXISTS (SELECT 1 FROM {text.staging} WHERE {found})"

    def _build_doubt(self, plan: MergePlan, text: VersionsText) -> Statement:
        staged = f"(SELECT COUNT(*) FROM {self.quote_table(plan.staging)})"
        met = f"FROM {text.rows.dest}, {text.staging}\nWHERE {self._build_met(plan, text)}"
        refusal = _AMBIGUOUS.format(dest=plan.dest)
        sql = f"SELECT COUNT(*) - {staged} {met}"
        return Statement(sql=sql, name="doubt", value=True, refusal=refusal, hint=_AMBIGUOUS_HINT)

    def _build_late(self, plan: MergePlan, text: VersionsText) -> Statement:
        history, alias = get_history(plan), text.rows.alias
        end, start = (f"{alias}.{self.quote_identifier(name)}" for name in (history.end, history.start))
        none = f"{end} = {history.ends_at} AND {start} >= {history.begins_at}"
        sql = f"SELECT COUNT(*) FROM {text.rows.dest}\nWHERE ({none}) OR {end} > {history.ends_at}"
        refusal = _LATE.format(dest=plan.dest, end=history.end)
        return Statement(sql=sql, name="late", value=True, refusal=refusal, hint=_LATE_HINT)


def get_history(plan: MergePlan) -> History:
    """The plan's columns of the history, which it has."""
    assert plan.history is not None
    return plan.history
