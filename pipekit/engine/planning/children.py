# What a merge may do to rows of other tables through their foreign keys. Knows a plan and a driver, no connection.
"""The rows that refer to a dest: counted before the merge, refused or written down."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pipekit.drivers.base import Driver, MergePlan
from pipekit.drivers.facts import CHANGING, Action, Reference
from pipekit.models import Check
from pipekit.runner_contract import Statement

Event = Literal["gone", "moved", ""]
_DOES: dict[Action, str] = {
    "cascade": "deletes them",
    "set null": "takes away what they refer to",
    "set default": "lets them refer to something else",
}
_DID: dict[Action, str] = {"cascade": "deleted", "set null": "set to NULL", "set default": "set to their default"}
_SWITCH = "With `guards: {children: true}` on the module it would happen, and the record would count the rows."


@dataclass(frozen=True, slots=True)
class _Count:
    """One foreign key and one thing the merge does to rows of the dest; `event` is what the rows it points at meet."""

    name: str
    reference: Reference
    event: Event
    moves: bool
    sql: str

    @property
    def action(self) -> Action:
        return self.reference.get_action(self.event)

    @property
    def word(self) -> str:
        return f"{'ON DELETE' if self.event == 'gone' else 'ON UPDATE'} {self.action.upper()}"


def build_child_counts(driver: Driver, plan: MergePlan, allowed: bool) -> list[Statement]:
    """Counts, one for each foreign key through which the merge can change rows; a refusal unless they are `allowed`."""
    counts = list(_list_counts(driver, plan))
    hold = driver.build_hold_sql(plan) if any(not count.moves for count in counts) else ""
    return ([Statement(sql=hold)] if hold else []) + [
        Statement(
            sql=count.sql,
            name=count.name,
            value=True,
            refusal="" if allowed else _refuse(plan, count),
            hint="" if allowed else _advise(driver, plan, count),
        )
        for count in counts
    ]


def judge_children(driver: Driver, plan: MergePlan, counts: Mapping[str, int]) -> Check | None:
    """The receipt's line on the tables that refer to the dest; None when there are none."""
    if not plan.referring:
        return None
    name = "children of rows that are gone" if plan.gone else "children"
    found = [(count, counts.get(count.name, 0)) for count in _list_counts(driver, plan)]
    changed = [_tell(count, number) for count, number in found if number]
    if changed:
        return Check(name=name, ok=False, detail="; ".join(changed))
    stays = f", rows that come again stay where they are (by {', '.join(plan.row_key)})" if plan.keeps else ""
    tables = ", ".join(dict.fromkeys(str(reference.child) for reference in plan.referring))
    return Check(name=name, ok=True, detail=f"{tables}: no row changed{stays}")


def _list_counts(driver: Driver, plan: MergePlan) -> Iterator[_Count]:
    fed = {column.dest.name for column in plan.columns}
    moving = fed - set(plan.row_key if plan.keeps else plan.key) if plan.keeps or plan.strategy == "upsert" else set()
    deletes = plan.strategy in ("full", "incremental") or plan.gone
    if plan.gone:
        moving = set()
    for number, reference in enumerate(plan.referring):
        gone = reference.find_event("gone") if deletes else ""
        if _matters(reference, gone) and (sql := driver.build_children_sql(plan, reference)):
            yield _Count(f"children {number} {'absent' if plan.gone else 'gone'}", reference, gone, False, sql)
        moved = reference.find_event("moved") if moving & set(reference.root.referred) else ""
        if _matters(reference, moved) and (sql := driver.build_moved_sql(plan, reference)):
            yield _Count(f"children {number} moved", reference, moved, True, sql)


def _matters(reference: Reference, event: Event) -> bool:
    """What the database refuses by itself needs no count."""
    return bool(event) and (reference.get_action(event) in CHANGING or not reference.enforced)


def _refuse(plan: MergePlan, count: _Count) -> str:
    reference, child = count.reference, count.reference.child
    through = f" through {reference.parent.child}" if reference.parent else ""
    if not reference.enforced:
        does = "this database keeps no foreign keys in Pipekit's session, so they would refer to nothing"
    else:
        does = f"{count.word} {'changes them' if count.event == 'moved' else _DOES[count.action]}"
    what = "whose key this load changes" if count.moves else _say_gone(plan, reference)
    if reference.uncounted:
        rows = f"{{got}} rows of {plan.dest} are rows {what}, and {child} refers to them{through}"
        return f"{rows}: {count.word} would change rows there, and {reference.uncounted}."
    columns = ", ".join(reference.columns)
    return f"{{got}} rows of {child} ({columns}) refer{through} to rows of {plan.dest} {what}: {does}."


def _say_gone(plan: MergePlan, reference: Reference) -> str:
    if plan.gone:
        return "that are gone from the source"
    comes_again_unharmed = plan.keeps or not reference.enforced
    return "that this load takes away" if comes_again_unharmed else "that this load deletes before it inserts"


def _advise(driver: Driver, plan: MergePlan, count: _Count) -> str:
    if count.moves:
        return f"Keep {', '.join(count.reference.root.referred)} as it is in the query. {_SWITCH}"
    if plan.gone:
        return f"`deletes: mark` deletes nothing. {_SWITCH}"
    if plan.row_key and driver.keeps_rows and not plan.keeps:
        return f"With the right to UPDATE {plan.dest}, rows that come again would stay where they are. {_SWITCH}"
    if plan.row_key:
        return f"The strategy upsert deletes nothing. {_SWITCH}"
    return f"Let the query feed a unique key of {plan.dest}: rows that come again then stay where they are. {_SWITCH}"


def _tell(count: _Count, number: int) -> str:
    reference = count.reference
    if reference.uncounted:
        return f"{reference.child}: not counted, {reference.uncounted} ({count.word})"
    did = "changed" if count.event == "moved" else _DID.get(count.action, "changed")
    if not reference.enforced:
        did = "left without the row they refer to"
    return f"{number} rows of {reference.child} ({', '.join(reference.columns)}) {did}"
