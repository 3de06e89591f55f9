# How a keyed merge changes rows that are there: which it may leave as they are, and why not. Decides, builds no SQL.
"""`settle_keyed`, `settle_search` once the rows are there, and the receipt's line on it.

What can be seen of a merge from outside stays as its strategy says. So rows are left as they are, or updated where
`incremental` would delete and insert, only where the catalogue says that nobody can tell.
"""

from dataclasses import replace

from pipekit.drivers.base import Driver, MergePlan, TableFacts
from pipekit.drivers.facts import Event
from pipekit.engine.context import RunContext
from pipekit.engine.planning.indexes import LEAST_ROWS
from pipekit.models import Check

KEYED = ("incremental", "upsert")
# What a merge fires that deletes and inserts, or one that updates: a trigger on any of them can tell these apart.
_ROWS: frozenset[Event] = frozenset({"insert", "update", "delete"})


def settle_keyed(driver: Driver, plan: MergePlan, facts: TableFacts) -> MergePlan:
    """The plan with the way in which its rows meet those that are there; `settle_plan` has settled all else."""
    if driver.compares_rows:
        return replace(plan, leaves=plan.keeps or plan.strategy == "upsert")
    if not (plan.keeps or plan.strategy in KEYED) or not driver.leaves_rows or not facts.exists:
        return plan
    if plan.keeps:
        return replace(plan, leaves=not _find_obstacle(plan, facts))
    same = [key for key in facts.keys if {*key} == {*plan.key}]
    plan = replace(plan, unique=bool(same) and not plan.null_keys)
    obstacle = _find_obstacle(plan, facts)
    if not obstacle and plan.strategy == "incremental":
        obstacle = _find_difference(plan, facts)
    at_once = plan.unique and facts.sole_key and not plan.unfed and not facts.parted
    return replace(plan, leaves=not obstacle, obstacle=obstacle, at_once=at_once and not obstacle)


def settle_search(context: RunContext, plan: MergePlan, rows: int) -> MergePlan:
    """The plan for so many staged rows: where that pays, what differs is looked for apart from its writing."""
    if not plan.at_once or rows < LEAST_ROWS:
        return plan
    return replace(plan, apart=context.dest_driver.may_search_apart(context.ask_dest(), plan, rows))


def _find_obstacle(plan: MergePlan, facts: TableFacts) -> str:
    """Why every row must be written."""
    events: frozenset[Event] = _ROWS if plan.strategy == "incremental" else _ROWS - {"delete"}
    fires = plan.fires or tuple(firing.name for firing in facts.fires if firing.events & events)
    if fires:
        return f"there is {', '.join(fires)}"
    if facts.hidden_rows:
        return "the table has row security"
    return "" if facts.can_compare else "not all columns may be read and updated, or a rule stands before them"


def _find_difference(plan: MergePlan, facts: TableFacts) -> str:
    """What would tell an update from a row that is deleted and inserted."""
    key = ", ".join(plan.key)
    numbered = [c.dest.name for c in plan.columns if c.dest.identity and c.dest.name not in plan.key]
    if not plan.unique:
        return f"no unique key of the dest has {key} alone" if not plan.null_keys else "NULLs match in the key"
    if not facts.sole_key:
        return f"more than {key} is unique"
    if plan.unfed:
        return f"{', '.join(plan.unfed)} would not get a default again"
    if numbered:
        return f"{', '.join(numbered)} is GENERATED ALWAYS AS IDENTITY"
    if plan.referring:
        return "foreign keys point at the dest"
    return f"{facts.published} does not publish all of inserts, updates and deletes" if facts.published else ""


def judge_keyed(driver: Driver, plan: MergePlan) -> Check | None:
    """The receipt's line on rows that are there already; None where there is no choice."""
    if plan.strategy not in KEYED or plan.keeps or not driver.leaves_rows or not (plan.leaves or plan.obstacle):
        return None
    key = ", ".join(plan.key)
    if plan.obstacle and plan.strategy == "incremental":
        told = f"rows of the staged {key} are deleted and inserted: {plan.obstacle}"
    elif plan.obstacle:
        told = f"every row that comes again is written: {plan.obstacle}"
    else:
        unique = f" by the unique key {key}" if plan.unique else ""
        told = f"rows that come again{unique} are updated where they differ, and else not written"
    return Check(name="merge", ok=True, detail=told)
