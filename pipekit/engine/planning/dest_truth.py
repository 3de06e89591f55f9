# Whether the dest holds what was staged, asked where something stands between. Knows a plan, no connection.
"""Looks inside the merge's transaction, and what the receipt says of triggers, rules and views."""

import re
from collections.abc import Mapping

from pipekit.drivers.base import Driver, MergePlan
from pipekit.drivers.facts import Look
from pipekit.engine.context import RunContext
from pipekit.models import Check
from pipekit.runner_contract import Expect, Statement

ROWS_BEFORE = "rows before"
ROWS_AFTER = "rows after"
_HAD, _HAS, _DIFFERS = "had", "has", "differs"
_HINT = (
    "Mend what fires, or let the query leave out the columns it sets; with `guards: {dest_truth: false}` on the module"
    " what it makes of the rows would stay."
)


def build_looks_before(driver: Driver, plan: MergePlan) -> list[Statement]:
    """What must be known of the dest before the merge; nothing unless something fires."""
    if not plan.fires or plan.strategy not in ("full", "append"):
        return []
    looks = [Statement(sql=driver.build_count_sql(plan), name=ROWS_BEFORE, value=True)]
    if plan.strategy == "append" and (sql := driver.build_present_sql(plan)):
        looks.append(Statement(sql=sql, name=_HAD, value=True))
    return looks


def build_looks_after(driver: Driver, plan: MergePlan, strict: bool) -> list[Statement]:
    """What the dest must hold after the merge; nothing unless something fires. A refusal when `strict`."""
    if not plan.fires:
        return []
    looks = []
    if plan.strategy in ("full", "append"):
        looks.append(Statement(sql=driver.build_count_sql(plan), name=ROWS_AFTER, value=True))
    if plan.strategy == "append" and (sql := driver.build_present_sql(plan)):
        looks.append(Statement(sql=sql, name=_HAS, value=True))
    if look := driver.build_versions_look(plan) if plan.history else driver.build_look(plan):
        refusal = _refuse(plan, look) if strict else ""
        hint = _HINT if strict else ""
        details = look.details if strict else ""
        looks.append(Statement(sql=look.count, name=_DIFFERS, value=True, refusal=refusal, details=details, hint=hint))
    return looks


def build_growth(driver: Driver, plan: MergePlan, staged: int) -> list[Expect]:
    """What `append` promises beyond the look: the dest grew by the staged rows, and by nothing else."""
    if not plan.fires or plan.strategy != "append" or not driver.build_present_sql(plan):
        return []
    more = f"{plan.dest} has {{got}} rows more than before, but {{equals}} were staged; {say_fires(plan)}."
    equal = f"{plan.dest} has {{got}} more rows that are as they were staged, but {{equals}} were staged; "
    return [
        Expect(names=(ROWS_AFTER,), minus=(ROWS_BEFORE,), equals=staged, message=more, hint=_HINT),
        Expect(names=(_HAS,), minus=(_HAD,), equals=staged, message=f"{equal}{say_fires(plan)}.", hint=_HINT),
    ]


def say_fires(plan: MergePlan) -> str:
    """`there is: trigger a, rule b`."""
    return f"between the load and the table stands: {', '.join(plan.fires)}"


def _refuse(plan: MergePlan, look: Look) -> str:
    differs = "{told}" if look.details else "{got} rows differ"
    return f"After the merge {plan.dest} did not hold what was staged ({differs}); {say_fires(plan)}."


def judge_truth(driver: Driver, plan: MergePlan, counts: Mapping[str, int], staged: int) -> Check | None:
    """The receipt's line on what fired; None when nothing did."""
    if not plan.fires:
        return None
    fires = ", ".join(plan.fires)
    if _DIFFERS not in counts:
        return Check(
            name="dest truth", ok=None, detail=f"not made: this kind cannot tell what {fires} made of the rows"
        )
    differs = counts[_DIFFERS]
    if plan.strategy == "append" and _HAS in counts:
        differs = max(differs, abs(counts[_HAS] - counts[_HAD] - staged))
    if differs:
        return Check(name="dest truth", ok=False, detail=f"{differs} rows are not as they were staged: {fires}")
    return Check(name="dest truth", ok=True, detail=f"the dest holds what was staged; fired: {fires}")


def find_led_watermarks(context: RunContext, plan: MergePlan, text: str = "") -> str:
    """A sentence on watermarks that are read from a fed column of this dest, of those `text` names; `""` for none."""
    led = []
    for bound in context.watermarks:
        if bound.endpoint.jdbc_url != context.dest.jdbc_url:
            continue
        words = {word.casefold() for word in re.findall(r"\w+", bound.watermark.resolver_sql)}
        for column in plan.columns:
            name = column.dest.name
            if name.casefold() in words and (not text or f"{name} (" in text) and name not in plan.key:
                led.append(f"'{bound.watermark.name}' is read from {name}")
    if not led:
        return ""
    return f" The watermark {' and '.join(led)}: what a trigger writes there moves it past rows that were never read."
