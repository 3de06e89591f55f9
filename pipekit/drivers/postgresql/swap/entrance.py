# A run that swaps, as the driver knows it: what is in its way, what comes along. Pure text; knows no connection.
"""A table is made, filled, fitted, and put where the dest was.

It is made and committed before rows come, under a name that the ledger knows, so that what a crash leaves can be found.
"""

from pipekit.drivers.base import MergePlan, TableName
from pipekit.drivers.facts import Swap
from pipekit.drivers.postgresql.rebuild import tell_rebuilt
from pipekit.drivers.postgresql.swap import carrying, changing
from pipekit.drivers.postgresql.swap.obstacles import tell_obstacle
from pipekit.drivers.postgresql.swap.shape import Literal, Shape, find_shape
from pipekit.runner_contract import Query, Statement

_CARRIED = {
    "indexes": ("index", "indexes"),
    "constraints": ("constraint", "constraints"),
    "triggers": ("trigger", "triggers"),
    "statistics": ("statistics object", "statistics objects"),
    "sequences": ("sequence", "sequences"),
}
# INSERT, DELETE and TRUNCATE, as bits of a trigger.
_FIRING = 4 | 8 | 32


def find_swap(query: Query, literal: Literal, table: TableName) -> Swap:
    """What a look at the dest says of it, in one query."""
    shape = find_shape(query, literal, table)
    triggers = shape.list("triggers")
    return Swap(
        obstacles=tuple(tell_obstacle(item) for item in shape.parts["obstacles"] or []),
        carried=tuple(_list_carried(shape)),
        unfired=tuple(t["name"] for t in triggers if t["enabled"] in ("O", "A") and t["events"] & _FIRING),
        computed=tuple(column["name"] for column in shape.list("columns") if column["generated"]),
        shape=shape,
    )


def _list_carried(shape: Shape) -> list[str]:
    """`2 indexes`, `1 constraint` ..."""
    counts = {part: len(shape.list(part)) for part in _CARRIED}
    counts["constraints"] = sum(item["kind"] in "cf" for item in shape.list("constraints"))
    return [f"{count} {_CARRIED[part][count != 1]}" for part, count in counts.items() if count]


def build_table_sql(plan: MergePlan) -> tuple[str, ...]:
    """Makes the table that rows are loaded into."""
    return carrying.build_table_sql(plan, _get_shape(plan))


def build_fitting_sql(plan: MergePlan) -> tuple[str, ...]:
    """Gives it, loaded and checked, everything the dest has."""
    return carrying.build_fitting_sql(plan, _get_shape(plan))


def build_swap(plan: MergePlan) -> tuple[Statement, ...]:
    """Puts it in the dest's place."""
    return changing.build_swap(plan, _get_shape(plan))


def name_fitted(plan: MergePlan, text: str) -> str:
    """The names by which people know the table's indexes, and the table itself, in place of those they have so far.

    Where in a block of statements something went wrong is left out.
    """
    text = text.partition('\nSQL statement "')[0]
    for number, index in enumerate(_get_shape(plan).list("indexes")):
        text = text.replace(f'"{carrying.name_apart(plan.staging, number)}"', f'"{index["name"]}"')
    return tell_rebuilt(text.replace(f'"{plan.staging.name}"', f'"{plan.dest.name}"'))


def _get_shape(plan: MergePlan) -> Shape:
    if plan.swap is None or not isinstance(plan.swap.shape, Shape):
        raise TypeError("not a plan of a swap")
    return plan.swap.shape
