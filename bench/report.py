# What was measured, as a table for people and as JSON for programs. Measures nothing itself.
"""The report of a benchmark run."""

import os
import platform
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.fixed import LIMIT_S, RUN, FixedCost
from bench.growth import FEW, LIMIT_GROWTH, MANY, Growth
from bench.memory import LIMIT_MB, MemoryResult
from bench.move import LIMIT_RATIO, Result, find_ratio
from bench.pages import AT_ONCE, LIMIT_MEDIAN_S, LIMIT_P95_S, PageResult
from bench.tables import Part
from bench.viewers import LIMIT_ANSWER_S, LIMIT_LOSS, VIEWERS, ViewersResult


@dataclass(slots=True)
class Report:
    """Everything that was measured; a part that was not asked for is None."""

    rows: int
    rounds: int
    began: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    moves: list[Result] | None = None
    fixed: FixedCost | None = None
    memory: MemoryResult | None = None
    growth: list[Growth] | None = None
    viewers: ViewersResult | None = None
    pages: list[PageResult] | None = None
    parts: dict[str, Part] = field(default_factory=dict)

    def list_failures(self) -> list[str]:
        """The limits that do not hold."""
        failures = [
            f"{page.path} takes over {LIMIT_MEDIAN_S:g} s at the median or {LIMIT_P95_S:g} s at the 95th percentile"
            for page in self.pages or ()
            if not page.holds
        ]
        failures += [
            f"{each.strategy} into a dest that is {each.state}: ten times the rows take {each.ratio:.0f} times as long"
            for each in self.growth or ()
            if each.ratio > LIMIT_GROWTH
        ]
        if self.viewers and not self.viewers.holds:
            failures.append(
                f"viewers cost a run over {LIMIT_LOSS:.0%}, or one of 100 answers takes over {LIMIT_ANSWER_S:g} s"
            )
        if self.moves and find_ratio(self.moves) > LIMIT_RATIO:
            failures.append(
                f"pipekit run takes {find_ratio(self.moves):.2f} times the pipe; the limit is {LIMIT_RATIO}"
            )
        if self.memory and not self.memory.is_flat:
            failures.append(f"memory grows with the rows, or is over {LIMIT_MB:.0f} MB")
        if self.fixed and self.fixed.medians[RUN] > LIMIT_S:
            failures.append(f"a run of 1,000 rows takes over {LIMIT_S:g} s")
        failures += [limit.describe() for part in self.parts.values() for limit in part.limits if not limit.holds]
        return failures

    def to_text(self) -> str:
        """The tables."""
        lines = [f"{self.rows:,} rows x 16 columns, {self.rounds} rounds, {describe_machine()}", ""]
        lines += _move_lines(self.moves, self.rows) if self.moves else ()
        lines += _memory_lines(self.memory) if self.memory else ()
        lines += _fixed_lines(self.fixed) if self.fixed else ()
        lines += _growth_lines(self.growth) if self.growth else ()
        lines += _viewer_lines(self.viewers) if self.viewers else ()
        lines += _page_lines(self.pages) if self.pages else ()
        for part in self.parts.values():
            lines += part.to_text()
        lines += [f"FAILED: {failure}" for failure in self.list_failures()] or ["All limits hold."]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Every single measurement; standard output of the commands is left out."""
        record = asdict(self) | {"machine": describe_machine(), "failures": self.list_failures()}
        for result in record["moves"] or ():
            for run in result["runs"]:
                run.pop("stdout")
        return record


def describe_machine() -> str:
    """Cores, system and Python."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def _move_lines(results: list[Result], rows: int) -> Iterator[str]:
    yield f"{'full load':<22}{'median s':>9}{'x pipe':>8}{'k rows/s':>10}{'cpu s':>7}{'RSS MB':>8}{'largest':>9}   runs"
    for each in results:
        ratio, rate = find_ratio(results, each.name), rows / each.median_s / 1000
        yield (
            f"{each.name:<22}{each.median_s:>9.2f}{ratio:>8.2f}{rate:>10.0f}{each.cpu_s:>7.1f}{each.peak_mb:>8.0f}"
            f"{each.largest_mb:>9.0f}   {' '.join(f'{run.seconds:.2f}' for run in each.runs)}"
        )
    yield ""


def _memory_lines(memory: MemoryResult) -> Iterator[str]:
    yield f"{'peak memory of pipekit run':<28}{'largest process MB':>19}{'all MB':>8}"
    for peak in (memory.small, memory.large):
        total = sum(process.peak_mb for process in peak.processes)
        yield f"{f'{peak.rows:,} rows':<28}{peak.runner_mb:>19.1f}{total:>8.1f}"
    yield ""


def _fixed_lines(fixed: FixedCost) -> Iterator[str]:
    yield f"{'1,000 rows, from the shell':<36}{'median s':>9}"
    for name, seconds in fixed.medians.items():
        yield f"{name:<36}{seconds:>9.3f}"
    yield f"{'ours: run less bare script':<36}{fixed.ours_s:>9.3f}"
    yield f"{'of the run, two starts of Python':<36}{fixed.python_s:>9.3f}"
    for stage, seconds in fixed.stages.items():
        yield f"{f'of the run, stage {stage}':<36}{seconds:>9.3f}"
    yield ""


def _growth_lines(growth: list[Growth]) -> Iterator[str]:
    yield f"{'merge, by the state of the dest':<58}{f'{FEW:,} rows s':>14}{f'{MANY:,} rows s':>16}{'x':>6}"
    for each in growth:
        yield f"{f'{each.strategy}: {each.state}':<58}{each.few_s:>14.2f}{each.many_s:>16.2f}{each.ratio:>6.1f}"
    yield ""


def _viewer_lines(viewers: ViewersResult) -> Iterator[str]:
    alone, watched = statistics.median(viewers.alone), statistics.median(viewers.watched)
    yield f"{f'a run with {VIEWERS} viewers of its log':<36}{'median s':>9}"
    yield f"{'alone':<36}{alone:>9.2f}   {' '.join(f'{seconds:.2f}' for seconds in viewers.alone)}"
    yield f"{'watched':<36}{watched:>9.2f}   {' '.join(f'{seconds:.2f}' for seconds in viewers.watched)}"
    yield f"{'lost to the viewers, %':<36}{viewers.loss * 100:>9.1f}"
    for words, cores in zip(("alone", "watched"), viewers.server_cores, strict=True):
        yield f"{f'cores the server kept busy, {words}':<36}{cores:>9.2f}"
    yield f"{'answer, median':<36}{viewers.median_s:>9.3f}   {len(viewers.answers)} answers"
    yield f"{'answer, 99 of 100':<36}{viewers.p99_s:>9.3f}"
    yield ""


def _page_lines(pages: list[PageResult]) -> Iterator[str]:
    yield f"{f'{AT_ONCE} requests at once':<30}{'median ms':>10}{'95 % ms':>9}{'answers':>9}{'kB':>7}{'sent kB':>9}"
    for page in pages:
        yield (
            f"{page.path:<30}{page.median_s * 1000:>10.0f}{page.p95_s * 1000:>9.0f}{len(page.seconds):>9}"
            f"{page.size / 1000:>7.1f}{page.sent / 1000:>9.1f}"
        )
    yield ""
