# Small drawings as SVG with presentation attributes, and coloured SQL. Knows figures and statuses, no page, no record.
"""`draw_strip`, `draw_timeline`, `draw_history`, `draw_gantt`, `draw_meter`, `highlight_sql`: safe HTML."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup, escape

from pipekit.engine.receipt import format_duration
from pipekit.repo.pages import RunBrief, RunMark
from pipekit.web.kit.words import status_word

STRIP_BARS = 12
HISTORY_BARS = 60
_STEP, _BAR, _HEIGHT = 8, 6, 24
_HISTORY_WIDTH, _HISTORY_HEIGHT = 480, 140
_LONGEST_COLOURED = 20_000
_TIMELINE = '<svg class="timeline" viewBox="0 0 1000 16" preserveAspectRatio="none" aria-hidden="true">'


@dataclass(frozen=True, slots=True)
class _Bar:
    """What decides how a run's bar looks. Equal bars make equal strips, which are drawn once."""

    run_id: int
    status: str
    seconds: float | None


def draw_strip(runs: Sequence[RunBrief | RunMark]) -> Markup:
    """The last runs as bars: height = duration, colour = status, each a link. The latest stands at the right."""
    return _draw_strip(_as_bars(runs))


@lru_cache(maxsize=2000)
def _draw_strip(runs: tuple[_Bar, ...]) -> Markup:
    failed = sum(run.status == "error" for run in runs)
    label = f"last {len(runs)} runs, {failed} failed" if runs else "no runs"
    width = STRIP_BARS * _STEP
    bars = _draw_bars(runs, _STEP, _BAR, _HEIGHT, width - len(runs) * _STEP)
    return Markup(
        f'<svg class="strip" viewBox="0 0 {width} {_HEIGHT}" width="{width}" height="{_HEIGHT}" role="group" '
        f'aria-label="{label}">{bars}</svg>'
    )


def draw_history(runs: Sequence[RunBrief]) -> Markup:
    """Durations of many runs, the latest at the right: what a chart shows where scripts are off."""
    step = _HISTORY_WIDTH / HISTORY_BARS
    left = (HISTORY_BARS - len(runs)) * step
    bars = _draw_bars(_as_bars(runs), step, step - 2, _HISTORY_HEIGHT, left)
    return Markup(
        f'<svg class="history" viewBox="0 0 {_HISTORY_WIDTH} {_HISTORY_HEIGHT}" role="group" '
        f'aria-label="duration of the last {len(runs)} runs">{bars}</svg>'
    )


def _as_bars(runs: Sequence[RunBrief | RunMark]) -> tuple[_Bar, ...]:
    return tuple(_Bar(run.id, run.status, run.seconds) for run in runs)


def _draw_bars(runs: Sequence[_Bar], step: float, width: float, height: int, left: float) -> str:
    longest = max((run.seconds or 0.0 for run in runs), default=0.0) or 1.0
    return "".join(
        _draw_bar(run, left + number * step, width, height, 3 + (height - 3) * (run.seconds or 0.0) / longest)
        for number, run in enumerate(runs)
    )


def _draw_bar(run: _Bar, x: float, width: float, height: int, tall: float) -> str:
    took = "" if run.seconds is None else f" {format_duration(run.seconds)}"
    # The path makes the whole column a target, however low the bar.
    return (
        f'<a href="/runs/{run.run_id}" tabindex="-1"><title>run {run.run_id} {status_word(run.status)}{took}</title>'
        f'<path d="M{x:g} 0h{width + 1:g}v{height}h-{width + 1:g}z"/><rect class="fill-{run.status}" x="{x:g}" '
        f'y="{height - tall:.1f}" width="{width:g}" height="{tall:.1f}"/></a>'
    )


def draw_timeline(
    stages: Mapping[str, float],
    current: str = "",
    elapsed_s: float = 0.0,
    failed: str = "",
    ahead: Mapping[str, float] | None = None,
    part: float | None = None,
) -> Markup:
    """Stages as bars in proportion to their seconds, with the one that goes on or failed in its own colour.

    `ahead` are seconds that the stage it is in and those to come usually take: they are drawn pale, where they will be.
    `part` is how much of the stage it is in is done, where that is known better than by its seconds.
    """
    spans, coming = dict(stages), dict(ahead or {})
    if current:
        spans[current] = max(spans.get(current, 0.0), elapsed_s)
    widths = {name: max(spans.get(name, 0.0), coming.get(name, 0.0)) for name in [*spans, *coming]}
    if not widths:
        return Markup(f"{_TIMELINE}</svg>")
    least = sum(widths.values()) * 0.004 + 0.001
    widths = {name: max(width, least) for name, width in widths.items()}
    scale, x, bars = 1000 / sum(widths.values()), 0.0, []
    for name, width in widths.items():
        if name in coming:
            bars.append(_draw_stage("coming", x, width * scale, f"{name} about {format_duration(coming[name])}"))
        if name in spans:
            kind = "error" if name == failed else "running" if name == current else "stage"
            shown = min(max(spans[name], least), width) if name in coming else width
            shown = width * part if name == current and name in coming and part is not None else shown
            bars.append(_draw_stage(kind, x, shown * scale, f"{name} {format_duration(spans[name])}"))
        x += width * scale
    return Markup(f"{_TIMELINE}{''.join(bars)}</svg>")


def _draw_stage(kind: str, x: float, wide: float, told: str) -> str:
    return (
        f'<rect class="fill-{kind}" x="{x:.1f}" y="0" width="{max(wide - 2, 1.5):.1f}" height="16">'
        f"<title>{escape(told)}</title></rect>"
    )


def draw_meter(share: float) -> Markup:
    """How far something has come, 0 to 1."""
    return Markup(
        '<svg class="bar-meter" viewBox="0 0 120 8" aria-hidden="true"><rect class="fill-none" width="120" height="8"/>'
        f'<rect class="fill-running" width="{120 * share:.0f}" height="8"/></svg>'
    )


@dataclass(frozen=True, slots=True)
class GanttBar:
    """A run's place on a time axis, as shares of its whole."""

    run_id: int
    label: str
    status: str
    begin: float
    end: float


def draw_gantt(bar: GanttBar) -> Markup:
    """One line of a Gantt: the bar opens its run."""
    x, width = 1000 * bar.begin, max(1000 * (bar.end - bar.begin), 3.0)
    label = escape(bar.label)
    return Markup(
        f'<svg class="gantt" viewBox="0 0 1000 16" preserveAspectRatio="none" role="group" aria-label="{label}">'
        f'<rect class="fill-ground" width="1000" height="16"/>'
        f'<a href="/runs/{bar.run_id}" tabindex="-1" aria-label="{label}"><title>{label}</title>'
        f'<rect class="fill-{bar.status}" x="{min(x, 997.0):.1f}" width="{width:.1f}" height="16"/></a></svg>'
    )


# -- SQL ---------------------------------------------------------------------------------------------------------------

_KEYWORDS = """
    select from where and or not in is null as on join left right inner outer full cross group by order having limit
    offset fetch first only union all distinct with recursive case when then else end insert into values update set
    delete truncate table create drop alter add column primary key default exists between like ilike cast using
    returning conflict do nothing over partition merge matched begin commit asc desc
"""
_PARTS = re.compile(
    rf"""
    (?P<com>--[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<str>'(?:[^']|'')*(?:'|\Z))
  | (?P<name>"(?:[^"]|"")*(?:"|\Z))
  | (?P<kw>\b(?:{"|".join(_KEYWORDS.split())})\b)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


_MARKED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+|\S|\Z")


def highlight_sql(sql: str | None, marked: int | None = None) -> Markup:
    """SQL with its keywords, strings and comments marked, and the word at a place (from 1); all of it is text."""
    found = _MARKED.search(sql, marked - 1) if sql and marked and 1 <= marked <= len(sql) + 1 else None
    if not sql or not found:
        return _colour(sql)
    word = f'<mark id="fault">{escape(found[0] or " ")}</mark>'
    return Markup(f"{_colour(sql[: found.start()])}{word}{_colour(sql[found.end() :])}")


@lru_cache(maxsize=500)
def _colour(sql: str | None) -> Markup:
    if not sql or len(sql) > _LONGEST_COLOURED:
        return escape(sql or "")
    parts, last = [], 0
    for match in _PARTS.finditer(sql):
        parts.append(str(escape(sql[last : match.start()])))
        text = str(escape(match[0]))
        parts.append(text if match.lastgroup == "name" else f'<span class="{match.lastgroup}">{text}</span>')
        last = match.end()
    return Markup("".join(parts) + str(escape(sql[last:])))
