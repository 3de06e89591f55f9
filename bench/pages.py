# How long pages take while many ask at once. Knows addresses, nothing of how pages are made.
"""Every page of an installation with a long past, twenty requests at once, the client on the same cores."""

import asyncio
import gzip
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from bench.installation import RUNS, Installation, make_installation
from bench.place import Place, say
from bench.serving import start_server
from bench.tables import Limit, Part, Table
from bench.visitors import Answer, Unanswered, Visitor, crowd

AT_ONCE = 20
SECONDS = 4.0
LIMIT_MEDIAN_S = 0.200
LIMIT_P95_S = 0.500

PATHS = (
    "/",
    "/modules",
    "/modules?sort=took&desc=1",
    "/modules?state=failing",
    "/modules?q=orders_1",
    "/modules/250",
    "/modules/250/edit",
    "/modules/new",
    "/runs",
    "/runs?status=error",
    "/runs?module=orders_250",
    "/runs/999900",
    "/runs/999900?tab=merge",
    "/runs/999900/live",
    "/groups",
    "/groups/50",
    "/group-runs",
    "/group-runs/199900",
    "/connections",
    "/connections/5",
    "/drivers",
    "/secrets",
    "/users",
    "/settings",
    "/audit",
    "/account",
    "/search?q=orders",
    "/wizard",
    "/status",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PageResult:
    """The answers for one address."""

    path: str
    seconds: tuple[float, ...]
    size: int
    sent: int

    @property
    def median_s(self) -> float:
        """The median answer."""
        return statistics.median(self.seconds)

    @property
    def p95_s(self) -> float:
        """The time that 95 of 100 answers stay below."""
        return find_percentile(self.seconds, 95)


def find_percentile(seconds: Sequence[float], percent: int) -> float:
    """The value that `percent` of 100 are not above."""
    ordered = sorted(seconds)
    return ordered[max(-(-len(ordered) * percent // 100) - 1, 0)]


def measure_pages(place: Place, *, runs: int = RUNS, seconds: float = SECONDS, paths: Sequence[str] = PATHS) -> Part:
    """Makes the installation, serves it and asks for each page in turn."""
    site = make_installation(place.folder / "pages", runs=runs, say=say)
    with start_server(site.home) as server:
        return build_part([asyncio.run(_measure_one(server.port, site, path, seconds)) for path in paths])


def build_part(pages: Sequence[PageResult]) -> Part:
    """A line for each page, and two limits for each."""
    head = (f"{AT_ONCE} requests at once", "median ms", "95 % ms", "answers", "kB", "sent kB")
    rows = [
        (
            page.path,
            f"{page.median_s * 1000:.0f}",
            f"{page.p95_s * 1000:.0f}",
            str(len(page.seconds)),
            f"{page.size / 1000:.1f}",
            f"{page.sent / 1000:.1f}",
        )
        for page in pages
    ]
    limits = [
        limit
        for page in pages
        for limit in (
            Limit(what=f"{page.path} at the median", measured=page.median_s, at_most=LIMIT_MEDIAN_S, unit=" s"),
            Limit(what=f"{page.path} at the 95th percentile", measured=page.p95_s, at_most=LIMIT_P95_S, unit=" s"),
        )
    ]
    return Part(tables=[Table(head=head, rows=rows)], limits=limits, data=pages)


async def _measure_one(port: int, place: Installation, path: str, seconds: float) -> PageResult:
    await _warm_up(port, place, path)
    answers = await crowd(port, (place.cookies[0],), path, at_once=AT_ONCE, seconds=seconds)
    result = _build_result(path, answers)
    print(f"  {path}: {result.median_s * 1000:.0f} ms, {result.p95_s * 1000:.0f} ms", file=sys.stderr, flush=True)
    return result


async def _warm_up(port: int, place: Installation, path: str) -> None:
    async with Visitor(port, place.cookies[0]) as visitor:
        answer = await visitor.ask(path)
        if b"<" not in unpack(answer):
            raise Unanswered(f"{path} is no page")


def unpack(answer: Answer) -> bytes:
    """The body as the server made it."""
    return gzip.decompress(answer.body) if answer.body.startswith(b"\x1f\x8b") else answer.body


def _build_result(path: str, answers: Sequence[Answer]) -> PageResult:
    return PageResult(
        path=path,
        seconds=tuple(answer.seconds for answer in answers),
        size=len(unpack(answers[-1])),
        sent=answers[-1].size,
    )
