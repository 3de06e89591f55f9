# What the merge would do, counted and shown by looks at staging and the dest. Changes nothing, and keeps staging.
"""`foresee`: the last step of a preview, in place of the merge."""

from collections.abc import Sequence
from dataclasses import replace

from pipekit.cutting import cut
from pipekit.drivers.foreseen import Foreseen, Rows
from pipekit.drivers.wire import check_expectations
from pipekit.engine.context import RunContext
from pipekit.engine.planning.children import build_child_counts, judge_children
from pipekit.engine.planning.dest_truth import say_fires
from pipekit.engine.planning.past.gone import list_foreseen
from pipekit.engine.planning.plan import Plan, sign_plan
from pipekit.engine.running.merge import Figures, expect_counts, read_figures
from pipekit.engine.running.staging import Staged
from pipekit.errors import CheckFailed
from pipekit.models import Meeting, Preview, Samples
from pipekit.runner_contract import Statement

SAMPLES = 10
# Of a row, and of a cell: what is shown stays a page.
_MOST_COLUMNS, _LONGEST_CELL = 50, 200
# Of rows that meet: those that differ are looked for among so many, where the kind does not tell them apart.
_MET = 200
# Cells are compared up to here.
_LONGEST_COMPARED = 10_000


def foresee(context: RunContext, staged: Staged) -> None:
    """Counts what the merge would do, takes samples, writes both down, and leaves staging where it is.

    Raises CheckFailed for what the merge would be refused for: its counts, rows of other tables.
    """
    plan, rows = staged.plan, staged.loaded.rows_staged
    foreseen = _build_foreseen(context, plan)
    counts = _count(context, plan, foreseen)
    check_expectations(expect_counts(context, plan.merge, rows), counts)
    _check_unique(context, plan)
    figures = read_figures(plan.merge, counts, rows)
    preview = Preview(
        would_insert=figures.inserted,
        would_update=figures.updated,
        would_delete=figures.deleted,
        unchanged=figures.unchanged,
        samples=_take_samples(context, plan, foreseen),
        notes=_list_notes(context, plan, counts),
        counts={name: counts[name] for name in foreseen.rows},
        definition=context.definition,
        plan=sign_plan(plan),
    )
    context.record.check("preview", True, _tell(figures))
    context.record.keep_preview(preview, context.config.preview_kept_s)
    context.claim = None
    context.record.put(staging_left=False)


def _build_foreseen(context: RunContext, plan: Plan) -> Foreseen:
    """Into a dest that is not there yet everything is inserted."""
    driver = context.dest_driver
    merge = replace(plan.merge, strategy="append", keeps=False) if plan.create_sql else plan.merge
    is_history = bool(merge.history) and not plan.create_sql
    foreseen = driver.build_foreseen(replace(merge, strategy="append", history=None) if is_history else merge)
    if is_history:
        foreseen = driver.build_versions_foreseen(merge, foreseen)
    if merge.absent:
        keys = list_foreseen(driver, merge.absent, is_history=is_history)
        foreseen = replace(foreseen, rows={**foreseen.rows, **keys})
    return foreseen


def _count(context: RunContext, plan: Plan, foreseen: Foreseen) -> dict[str, int]:
    """One transaction, which locks nothing for longer than a look."""
    driver, allowed, absent = context.dest_driver, context.module.guards.children, plan.merge.absent
    children = build_child_counts(driver, plan.merge, allowed)
    children += build_child_counts(driver, absent, allowed) if absent and not plan.merge.history else []
    counted = [
        Statement(sql=f"SELECT {foreseen.count} {rows.source}", name=name, value=True)
        for name, listed in foreseen.rows.items()
        for rows in listed
    ]
    looks = [statement for statement in children if statement.value]
    return context.runner.execute(context.dest, [*foreseen.before, *looks, *counted])


def _check_unique(context: RunContext, plan: Plan) -> None:
    """What `append` would be refused for: rows with a value of a unique key that the dest has already."""
    merge = plan.merge
    if merge.strategy != "append" or not merge.row_key or merge.fires or plan.create_sql:
        return
    met = context.dest_driver.build_foreseen(replace(merge, strategy="upsert", key=merge.row_key, null_keys=False))
    looks = [Statement(sql=f"SELECT {met.count} {each.source}", name="met", value=True) for each in met.rows["updated"]]
    if count := context.runner.execute(context.dest, [*met.before, *looks])["met"]:
        key = ", ".join(merge.row_key)
        message = f"{count} staged rows have a value of {key} that {merge.dest} has: its unique key refuses them."
        raise CheckFailed(message, hint="Let the query leave out what is there.")


def _list_notes(context: RunContext, plan: Plan, counts: dict[str, int]) -> list[str]:
    merge, notes = plan.merge, []
    if plan.create_sql:
        notes.append(f"{merge.dest} is not there yet; the run makes it.")
    if merge.fires:
        notes.append(f"What fires is not tried: {say_fires(merge)}.")
    if merge.strategy in ("incremental", "upsert") and not merge.leaves and not plan.create_sql:
        obstacle = f": {merge.obstacle}" if merge.obstacle else ""
        notes.append(f"Every row that comes again is written, whether it differs or not{obstacle}.")
    if merge.history and not plan.create_sql:
        told = f"{counts['changed']} as their rows have changed, {counts['ended']} as their keys are gone"
        notes.append(f"Versions are kept: {told} would end.")
    elif merge.absent:
        marked = f": {counts['marked']} rows would be marked" if "marked" in counts else ""
        notes.append(f"Rows that are gone from the source are looked for{marked}.")
    if (children := judge_children(context.dest_driver, merge, counts)) and not children.ok:
        notes.append(f"Rows of other tables would go along: {children.detail}.")
    return notes


def _tell(figures: Figures) -> str:
    left = "" if figures.unchanged is None else f", {figures.unchanged} are left as they are"
    return (
        f"{figures.deleted} rows would be deleted, {figures.updated} updated, {figures.inserted} inserted{left};"
        " nothing was merged"
    )


def _take_samples(context: RunContext, plan: Plan, foreseen: Foreseen) -> Samples:
    taker = _Taker(context, plan, foreseen)
    return Samples(
        insert=tuple(taker.take_rows("inserted")),
        update=tuple(taker.take_meetings()),
        delete=tuple([*taker.take_rows("gone"), *taker.take_rows("deleted")][:SAMPLES]),
    )


class _Taker:
    """Reads a few rows of each sort; the columns of the key come first."""

    def __init__(self, context: RunContext, plan: Plan, foreseen: Foreseen) -> None:
        self._context = context
        self._foreseen = foreseen
        names = [column.dest.name for column in plan.merge.columns]
        self._key = [name for name in plan.merge.key or plan.merge.row_key if name in names]
        order = sorted(range(len(names)), key=lambda place: names[place] not in self._key)
        self._places = order[:_MOST_COLUMNS]
        self._all = order
        self._names = names

    def take_rows(self, name: str) -> list[dict[str, str | None]]:
        """Rows that come or go, as {column: value}."""
        found: list[dict[str, str | None]] = []
        for rows in self._foreseen.rows.get(name, ()):
            side = self._foreseen.staged if rows.staged else self._foreseen.held
            cells = self._read(rows, [side[place] for place in self._places], SAMPLES - len(found))
            found += [self._name(self._places, row) for row in cells]
        return found

    def take_meetings(self) -> list[Meeting]:
        """Rows that would be updated; those that differ in what can be seen come first."""
        found: list[Meeting] = []
        for rows in (*self._foreseen.rows.get("updated", ()), *self._foreseen.rows.get("changed", ())):
            sides = [side[place] for side in (self._foreseen.held, self._foreseen.staged) for place in self._all]
            found += [self._meet(row) for row in self._read(rows, sides, _MET)]
        return sorted(found, key=lambda item: not item.differs)[:SAMPLES]

    def _meet(self, row: Sequence[str | None]) -> Meeting:
        half = len(self._all)
        olds, news = row[:half], row[half:]
        changed = [place for place in range(half) if olds[place] != news[place]][:_MOST_COLUMNS]
        keyed = [place for place in range(half) if self._names[self._all[place]] in self._key] or list(range(half))
        return Meeting(
            key=self._name([self._all[place] for place in keyed], [olds[place] for place in keyed]),
            differs={
                self._names[self._all[place]]: (self._show(olds[place]), self._show(news[place])) for place in changed
            },
        )

    def _read(self, rows: Rows, expressions: Sequence[str], limit: int) -> Sequence[Sequence[str | None]]:
        if limit < 1:
            return ()
        chosen = ", ".join(f"{expression} AS c{number}" for number, expression in enumerate(expressions))
        sql = self._context.dest_driver.build_preview_sql(f"SELECT {chosen} {rows.source}", limit)
        return self._context.runner.query(self._context.dest, sql, limit=limit, longest=_LONGEST_COMPARED).rows

    def _name(self, places: Sequence[int], cells: Sequence[str | None]) -> dict[str, str | None]:
        return {self._names[place]: self._show(cell) for place, cell in zip(places, cells, strict=True)}

    def _show(self, cell: str | None) -> str | None:
        return None if cell is None else cut(self._context.record.masker.mask(cell), _LONGEST_CELL)
