# Looking at modules: the list and a module's page. Defining and starting them is in edit.py.
"""`/modules` and `/modules/{id}`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.engine.guarding.usual import find_usual_rows
from pipekit.engine.planning.drift.columns import DRIFT
from pipekit.engine.variables import fill
from pipekit.fields import list_fields
from pipekit.http.state import ContextDep, Db
from pipekit.models import Guards, Watermark
from pipekit.models.expecting import list_expected
from pipekit.repo import overview, pages, run_lists
from pipekit.repo.overview import Badge
from pipekit.repo.pages import MODULE_SORTS, MODULE_STATES, ModuleRow, ModuleState, RunBrief, RunMark
from pipekit.server.lateness import Next, list_next
from pipekit.server.scheduler import get_zone
from pipekit.web.kit.drawing import HISTORY_BARS, STRIP_BARS, draw_history
from pipekit.web.kit.render import get_moment, render, render_piece
from pipekit.web.kit.sessions import Viewer
from pipekit.web.modules.bulk import build_notice, list_runs_asked
from pipekit.web.modules.chart import MOST_RUNS, RANGES, USUAL_RANGE, build_dest_chart, build_runs_chart
from pipekit.web.modules.dest import DestView, build_dest_view
from pipekit.web.modules.edit import SAVED_WORDS
from pipekit.web.modules.form import LOAD_WORDS, STRATEGY_WORDS
from pipekit.web.modules.watermarks import build_placeholder_warnings
from pipekit.web.runs.view import LiveLine, describe_run, list_live_lines

router = APIRouter(include_in_schema=False)

PAGE_ROWS = 50
CHART_RUNS = 60
HISTORY_RUNS = 15
LARGEST_FIRST = ("rows", "took", "last")


@dataclass(frozen=True, kw_only=True, slots=True)
class ListView:
    """What the address of the list says, and addresses that differ from it in one thing."""

    q: str
    state: ModuleState
    sort: str
    descending: bool
    page: int

    def address(self, **changes: Any) -> str:
        """The list's address with some of it changed; what is as usual is left out. A change leads to page 1."""
        now = {"q": self.q, "state": self.state, "sort": self.sort, "descending": self.descending, "page": 1, **changes}
        usual = {"q": "", "state": "all", "sort": "name", "page": 1}
        words = {name: now[name] for name, value in usual.items() if now[name] != value}
        words |= {"desc": "1"} if now["descending"] else {}
        return "/modules" + (f"?{urlencode(words)}" if words else "")

    def sort_address(self, sort: str) -> str:
        """Sorts by a column, figures and times from the largest on; by the same one again the other way round."""
        descending = not self.descending if sort == self.sort else sort in LARGEST_FIRST
        return self.address(sort=sort, descending=descending)

    def aria_sort(self, sort: str) -> str:
        """How a column is sorted, in the words of ARIA."""
        if sort != self.sort:
            return "none"
        return "descending" if self.descending else "ascending"


def read_view(request: Request) -> ListView:
    """The view an address asks for; what makes no sense in it counts as not said."""
    words = request.query_params
    page = words.get("page", "1")
    return ListView(
        q=words.get("q", "").strip()[:200],
        state=next((state for state in MODULE_STATES if state == words.get("state")), "all"),
        sort=words["sort"] if words.get("sort") in MODULE_SORTS else "name",
        descending=words.get("desc") == "1",
        page=min(max(int(page), 1), 100_000) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the list."""

    module: ModuleRow
    packed_runs: str
    badges: tuple[Badge, ...]
    next: Next | None

    @property
    def runs(self) -> list[RunMark]:
        """The last runs, the oldest first."""
        return pages.unpack_runs(self.packed_runs)


@router.get("/modules")
def show_modules(request: Request, context: ContextDep, user: Viewer) -> Response:
    """The list. A fixed number of queries, whatever is in it."""
    view = read_view(request)
    moment, may = get_moment(), (user.may("admin"), user.may("operator"))
    found = context.memory.recall(("modules", view, may, moment), lambda db: _read_list(db, view, *may, moment))
    return render(
        request,
        "modules.html",
        view=view,
        lines=found.lines,
        total=found.total,
        last_page=found.last_page,
        states=MODULE_STATES,
        is_empty=not found.total and not view.q and view.state == "all",
        notice=build_notice(request.query_params),
        asked_runs=list_runs_asked(request.query_params),
        groups=found.groups,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundList:
    """A page of the list, drawn."""

    total: int
    last_page: int
    lines: Markup
    groups: tuple[Badge, ...]


def _read_list(db: repo.State, view: ListView, may_define: bool, may_run: bool, moment: int) -> FoundList:
    total = pages.count_module_rows(db, search=view.q, state=view.state)
    last_page = max((total + PAGE_ROWS - 1) // PAGE_ROWS, 1)
    coming = _list_coming(db)
    rows = pages.list_module_rows(
        db,
        search=view.q,
        state=view.state,
        sort=view.sort,
        descending=view.descending,
        coming=list(coming),
        limit=PAGE_ROWS,
        offset=(min(view.page, last_page) - 1) * PAGE_ROWS,
    )
    lines = [render_line(line, may_define, may_run, moment) for line in _build_lines(db, rows, coming)]
    groups = tuple(Badge(id=group.id, name=group.name) for group in repo.list_groups(db)) if may_define else ()
    return FoundList(total=total, last_page=last_page, lines=Markup("".join(lines)), groups=groups)


@lru_cache(maxsize=1000)
def render_line(line: Line, may_define: bool, may_run: bool, moment: int) -> Markup:
    """A line as HTML. Kept: most lines are the same for the next request, and a line is most of what a list costs.

    `moment` only tells one stretch of time from the next: ages are told anew in each.
    """
    runs = line.runs
    return render_piece(
        "_module_line.html",
        line=line,
        runs=runs,
        last=runs[-1] if runs else None,
        ended=next((run for run in reversed(runs) if run.finished_at), None),
        may_define=may_define,
        may_run=may_run,
    )


def _build_lines(db: repo.State, rows: Sequence[ModuleRow], coming: Mapping[int, Next]) -> list[Line]:
    ids = [row.id for row in rows]
    runs = pages.pack_recent_runs(db, ids, STRIP_BARS)
    badges = overview.list_badges(db, ids)
    return [
        Line(module=row, packed_runs=packed, badges=tuple(badges[row.id]), next=_find_next(badges[row.id], coming))
        for row, packed in zip(rows, runs, strict=True)
    ]


def _list_coming(db: repo.State) -> dict[int, Next]:
    return {item.group_id: item for item in list_next(overview.pack_crons(db), datetime.now(UTC), get_zone())}


def _find_next(badges: Sequence[Badge], coming: Mapping[int, Next]) -> Next | None:
    known = [coming[badge.id] for badge in badges if badge.id in coming]
    return min(known, key=lambda item: item.at, default=None)


@router.get("/modules/{module_id:int}")
def show_module(
    request: Request, db: Db, context: ContextDep, user: Viewer, module_id: int, before: int | None = None
) -> Response:
    """A module: its definition, its last run, its history."""
    module = repo.get_module(db, module_id)
    asked = request.query_params.get("range", "")
    span = asked if asked in RANGES else USUAL_RANGE
    past = context.memory.recall(("module", module_id, span), lambda db: _read_past(db, module_id, span))
    runs = past.runs
    older = (
        run_lists.list_run_briefs(db, run_lists.RunFilter(module=module_id, before_id=before), limit=HISTORY_RUNS + 1)
        if before
        else runs
    )
    connections = {item.id: item for item in repo.list_connections(db)}
    badges = overview.list_badges(db, [module_id])[module_id]
    ended = next((run for run in runs if run.finished_at), None)
    last = repo.get_run(db, ended.id) if ended else None
    marks = repo.list_watermarks(db, module_id)
    coming = _list_coming(db)
    return render(
        request,
        "module.html",
        module=module,
        saved=SAVED_WORDS.get(request.query_params.get("saved", ""), ""),
        connections=connections,
        marks=[(mark, _last_value(mark, last.watermark_values if last else {})) for mark in marks],
        warnings=[
            *build_placeholder_warnings(
                fill(connections[module.source_id], module.source_query), [mark.name for mark in marks]
            ),
            *get_driver(connections[module.source_id].driver).find_notes(module.source_query),
        ],
        past_values=overview.list_past_values(db, module_id) if marks else [],
        hooks=repo.list_hooks(db, module_id),
        guards=_list_guards(module.guards),
        expected=[str(line) for line in list_expected(module)],
        undo=context.memory.recall(("undo", module_id), lambda kept: repo.measure_undo(kept, module_id)),
        strategies=STRATEGY_WORDS,
        ways=LOAD_WORDS,
        last=last,
        mends=describe_run(last).mends if last else [],
        alive=_list_alive(db, [run for run in runs if not run.finished_at]),
        drift=[check.detail for check in last.checks if check.name == DRIFT] if last else [],
        dest=context.memory.recall(("dest", module_id, get_moment()), lambda kept: _read_dest(kept, module_id)),
        chart_count=past.count,
        ranges=RANGES,
        span=span,
        usual=find_usual_rows(repo.list_past(db, module.id), datetime.now(UTC)),
        chart=past.chart,
        dest_chart=past.dest,
        drawing=past.drawing,
        history=older[:HISTORY_RUNS],
        history_next=older[HISTORY_RUNS - 1].id if len(older) > HISTORY_RUNS else None,
        is_first=before is None,
        badges=[(badge, coming.get(badge.id)) for badge in badges],
    )


def _list_alive(db: repo.State, runs: Sequence[RunBrief]) -> list[tuple[RunBrief, LiveLine | None, repo.Hold]]:
    """The module's run that has not ended, if any: how far it is, or what it waits for."""
    lines = {line.run.id: line for line in list_live_lines(db, datetime.now(UTC))} if runs else {}
    return [(run, lines.get(run.id), repo.find_hold(db, run.id)) for run in runs]


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """A module's latest runs, the newest first, and those of a range as charts; `dest` is empty without two loads."""

    runs: list[RunBrief]
    count: int
    chart: Markup
    dest: Markup
    drawing: Markup


def _read_dest(db: repo.State, module_id: int) -> DestView:
    """Kept for a while: five hundred modules around it are most of what its page costs."""
    connections = {item.id: item for item in repo.list_connections(db)}
    return build_dest_view(db, repo.get_module(db, module_id), connections)


def _read_past(db: repo.State, module_id: int, span: str) -> Past:
    runs = run_lists.list_run_briefs(db, run_lists.RunFilter(module=module_id), limit=CHART_RUNS)
    shown = (runs if span == USUAL_RANGE else _list_range(db, module_id, span))[::-1]
    dest = build_dest_chart(shown)
    return Past(
        runs=runs,
        count=len(shown),
        chart=htmlsafe_json_dumps(build_runs_chart(shown)),
        dest=htmlsafe_json_dumps(dest) if len(dest["at"]) > 1 else Markup(""),
        drawing=draw_history(shown[-HISTORY_BARS:]),
    )


def _list_range(db: repo.State, module_id: int, span: str) -> list[RunBrief]:
    """The runs of a range: so many, or those of so many days, 1,000 at most."""
    if not span.endswith("d"):
        return run_lists.list_run_briefs(db, run_lists.RunFilter(module=module_id), limit=int(span))
    since = repo.format_moment(datetime.now(UTC) - timedelta(days=int(span[:-1])))
    found = run_lists.list_run_briefs(db, run_lists.RunFilter(module=module_id), limit=MOST_RUNS)
    return [run for run in found if (run.finished_at or "") >= since]


def _last_value(mark: Watermark, values: Mapping[str, str]) -> str | None:
    return values.get(mark.name)


def _list_guards(guards: Guards) -> list[str]:
    """What is not as usual, in words."""
    found = [(f, getattr(guards, f.own)) for f in list_fields(Guards)]
    return [f.unusual.format(value) for f, value in found if value != f.default]
