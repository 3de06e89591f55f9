# The last day of runs as a strip. Knows runs as marks on a time axis, no page and no state.
"""`draw_runs`: one bar for each run, a lane for each group. `draw_counts`: how many ended when, for very many runs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo

from markupsafe import Markup, escape

from pipekit.engine.receipt import format_count, format_duration
from pipekit.repo.overview import Bucket, DayRun
from pipekit.web.kit.words import status_word

MOST_BARS = 400
MOST_LANES = 8
BY_HAND = "by hand"
OTHERS = "other groups"
_WIDTH, _HEIGHT, _LANE = 960, 48, 16
_LABEL_EVERY_H = 3
_NARROWEST = 3.0

Labels = Sequence[tuple[float, str]]


def list_labels(begin: datetime, end: datetime, zone: tzinfo) -> list[tuple[float, str]]:
    """Full hours of the wall clock, every third, as shares of the whole; none so near an edge that it would be cut."""
    hour = begin.astimezone(zone).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    labels = []
    while hour < end:
        share = (hour - begin) / (end - begin)
        if hour.hour % _LABEL_EVERY_H == 0 and 0.02 < share < 0.98:
            labels.append((share, hour.strftime("%H:%M")))
        hour = (hour + timedelta(hours=1)).astimezone(zone)
    return labels


def draw_runs(runs: Sequence[DayRun], begin: datetime, end: datetime, labels: Labels) -> Markup:
    """A lane for each group, the runs of no group below; each bar opens its run."""
    lanes = _sort_into_lanes(runs)
    rows = "".join(
        f'<span class="lane-name" title="{escape(name)}">{escape(name)}</span>{_draw_lane(name, members, begin, end)}'
        for name, members in lanes.items()
    )
    failed = sum(run.status == "error" for run in runs)
    return Markup(f'<div class="day lanes" role="group" {_label(len(runs), failed)}>{rows}{_draw_axis(labels)}</div>')


def draw_counts(buckets: Iterable[Bucket], spans: int, labels: Labels) -> Markup:
    """How many runs ended in each span, failures at the foot."""
    known = list(buckets)
    most = max((bucket.ended for bucket in known), default=1)
    bars = "".join(_draw_bucket(bucket, _WIDTH / spans, most) for bucket in known if 0 <= bucket.number < spans)
    ended, failed = sum(bucket.ended for bucket in known), sum(bucket.failed for bucket in known)
    return Markup(
        f'<div class="day" role="img" {_label(ended, failed)}><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'preserveAspectRatio="none" class="counts" aria-hidden="true">{bars}</svg>{_draw_axis(labels)}</div>'
    )


def _label(ended: int, failed: int) -> str:
    return f'aria-label="{format_count(ended)} runs ended in the last 24 hours, {format_count(failed)} failed"'


def _sort_into_lanes(runs: Sequence[DayRun]) -> Mapping[str, list[DayRun]]:
    names = sorted({run.group for run in runs if run.group}, key=str.casefold)
    own = names if len(names) < MOST_LANES else names[: MOST_LANES - 1]
    lanes: dict[str, list[DayRun]] = {name: [] for name in own}
    for run in runs:
        name = (run.group if run.group in lanes else OTHERS) if run.group else BY_HAND
        lanes.setdefault(name, []).append(run)
    if BY_HAND in lanes:
        lanes[BY_HAND] = lanes.pop(BY_HAND)
    return lanes


def _draw_lane(name: str, runs: Sequence[DayRun], begin: datetime, end: datetime) -> str:
    failed = sum(run.status == "error" for run in runs)
    label = f"{escape(name)}: {len(runs)} runs, {failed} failed"
    # What failed is drawn last: nothing may hide it.
    bars = "".join(_draw_run(run, begin, end) for run in sorted(runs, key=lambda run: run.status == "error"))
    return (
        f'<svg class="lane" viewBox="0 0 {_WIDTH} {_LANE}" preserveAspectRatio="none" role="group" '
        f'aria-label="{label}"><rect class="fill-ground" width="{_WIDTH}" height="{_LANE}"/>{bars}</svg>'
    )


def _draw_run(run: DayRun, begin: datetime, end: datetime) -> str:
    finished = datetime.fromisoformat(run.finished_at)
    started = datetime.fromisoformat(run.started_at) if run.started_at else finished
    whole_s = (end - begin).total_seconds()
    x, stop = (max((moment - begin).total_seconds() / whole_s, 0.0) * _WIDTH for moment in (started, finished))
    took = format_duration(max((finished - started).total_seconds(), 0.0))
    label = escape(f"{run.module} {status_word(run.status)} {took}")
    return (
        f'<a href="/runs/{run.id}" tabindex="-1" aria-label="{label}"><title>{label}</title>'
        f'<rect class="fill-{run.status}" x="{min(x, _WIDTH - _NARROWEST):.1f}" '
        f'width="{max(stop - x, _NARROWEST):.1f}" height="{_LANE}"/></a>'
    )


def _draw_bucket(bucket: Bucket, step: float, most: int) -> str:
    x, width = bucket.number * step, step - 1.5
    tall = max(_HEIGHT * bucket.ended / most, 3.0)
    bad = max(tall * bucket.failed / bucket.ended, 3.0) if bucket.failed else 0.0
    title = f"<title>{format_count(bucket.ended)} ended, {format_count(bucket.failed)} failed</title>"
    parts = [("success", tall)] + ([("error", bad)] if bad else [])
    drawn = "".join(
        f'<rect class="fill-{kind}" x="{x:.1f}" y="{_HEIGHT - high:.1f}" width="{width:.1f}" height="{high:.1f}"/>'
        for kind, high in parts
    )
    return f"<g>{title}{drawn}</g>"


def _draw_axis(labels: Labels) -> str:
    words = "".join(
        f'<text x="{share * _WIDTH:.0f}" y="16" text-anchor="middle">{escape(word)}</text>' for share, word in labels
    )
    line = f'<path class="axis" d="M0 1h{_WIDTH}"/>'
    return f'<svg class="hours" viewBox="0 0 {_WIDTH} 20" aria-hidden="true">{line}{words}</svg>'
