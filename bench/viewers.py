# What it costs a run to be watched. Knows the address of the live fragment, nothing of how it is made.
"""A full load under `pipekit serve`, alone and with 100 viewers of its live log of 10 MB, in turn."""

import asyncio
import json
import os
import re
import statistics
import time
import zlib
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import build_module
from bench.data import TABLE, empty_dest, take_fingerprint
from bench.installation import make_users
from bench.pages import find_percentile
from bench.place import Place, say
from bench.race import NotEqual
from bench.serving import Server, start_server
from bench.tables import Limit, Part, Table
from bench.visitors import Answer, Visitor
from pipekit import repo
from pipekit.config import load_config

VIEWERS = 100
POLL_EVERY_S = 2.0
LOG_CHARS = 10_000_000
# Its last tenth, and more, is written while the run goes on, so that no two polls find the same.
WRITE_EVERY_S = 0.2
WRITE_CHARS = 20_000
LIMIT_ANSWER_S = 0.200
LIMIT_LOSS = 0.10
RUN_WITHIN_S = 600.0

_STAMP = re.compile(rb"hx-vals='(\{[^']*\})'")


@dataclass(frozen=True, kw_only=True, slots=True)
class ViewersResult:
    """Seconds of each run, alone and watched, and of each answer a viewer got.

    `server_cores` is how many cores the server kept busy meanwhile, alone and watched; the runner's are not in it.
    """

    alone: tuple[float, ...]
    watched: tuple[float, ...]
    server_cores: tuple[float, float]
    answers: tuple[float, ...]
    unchanged: int
    sent: int

    @property
    def loss(self) -> float:
        """The part of its speed that a run loses while it is watched, by the medians."""
        return 1 - statistics.median(self.alone) / statistics.median(self.watched)

    @property
    def median_s(self) -> float:
        """The median answer."""
        return statistics.median(self.answers)

    @property
    def p99_s(self) -> float:
        """The time that 99 of 100 answers stay below."""
        return find_percentile(self.answers, 99)


def measure_viewers(place: Place) -> Part:
    """Runs the module alone and watched, `rounds` times each; raises NotEqual."""
    place.make_big_tables()
    home = place.make_home("viewers", [build_module(TABLE, f"select * from {TABLE}", f"public.{TABLE}")])
    tried: list[_Tried] = []
    with closing(repo.open_state(load_config({"PIPEKIT_HOME": str(home)}).state_path)) as db:
        cookies = make_users(db)
        with start_server(home) as server:
            for number in range(1, place.rounds + 1):
                for viewers in (0, VIEWERS):
                    tried.append(_try_once(place, db, server, cookies, viewers))
                    say(f"  round {number} of {place.rounds}: {viewers} viewers {tried[-1].seconds:.2f} s")
    return build_part(_build_result(tried))


@dataclass(frozen=True, slots=True)
class _Tried:
    viewers: int
    seconds: float
    cores: float
    answers: list[Answer]


def _try_once(place: Place, db: repo.State, server: Server, cookies: list[str], viewers: int) -> _Tried:
    """One run with so many viewers, its rows compared."""
    empty_dest(place.servers)
    began_s, cpu_s = time.monotonic(), read_cpu_s(server.pid)
    seconds, answers = asyncio.run(_run_watched(db, server.port, cookies, viewers))
    cores = (read_cpu_s(server.pid) - cpu_s) / (time.monotonic() - began_s)
    if take_fingerprint(place.servers.dest) != place.expected:
        raise NotEqual("the watched table did not arrive")
    return _Tried(viewers, seconds, cores, answers)


def _build_result(tried: list[_Tried]) -> ViewersResult:
    alone, watched = ([each for each in tried if each.viewers == viewers] for viewers in (0, VIEWERS))
    answers = [answer for each in tried for answer in each.answers]
    return ViewersResult(
        alone=tuple(each.seconds for each in alone),
        watched=tuple(each.seconds for each in watched),
        server_cores=(
            statistics.median(each.cores for each in alone),
            statistics.median(each.cores for each in watched),
        ),
        answers=tuple(answer.seconds for answer in answers),
        unchanged=sum(answer.status == 204 for answer in answers),
        sent=sum(answer.size for answer in answers),
    )


def build_part(viewers: ViewersResult) -> Part:
    """The table and the limits."""
    alone, watched = statistics.median(viewers.alone), statistics.median(viewers.watched)
    rows = [
        ("a run alone, s", f"{alone:.2f}"),
        (f"with {VIEWERS} viewers of its log, s", f"{watched:.2f}"),
        ("lost to the viewers", f"{viewers.loss:.1%}"),
        ("cores the server kept busy, alone", f"{viewers.server_cores[0]:.2f}"),
        ("cores the server kept busy, watched", f"{viewers.server_cores[1]:.2f}"),
        ("answer, median, ms", f"{viewers.median_s * 1000:.0f}"),
        ("answer, 99 of 100, ms", f"{viewers.p99_s * 1000:.0f}"),
    ]
    return Part(
        tables=[Table(head=(f"{VIEWERS} viewers of one log", ""), rows=rows)],
        limits=[
            Limit(what="viewers: 99 of 100 answers", measured=viewers.p99_s, at_most=LIMIT_ANSWER_S, unit=" s"),
            Limit(what="viewers: share of a run's speed lost", measured=viewers.loss, at_most=LIMIT_LOSS),
        ],
        data=viewers,
    )


def read_cpu_s(pid: int) -> float:
    """The processor time of a process, its threads included and its children not."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _run_watched(db: repo.State, port: int, cookies: list[str], viewers: int) -> tuple[float, list[Answer]]:
    """The seconds of a run's stages. Its log is filled, and its viewers are there, while it waits to be let go."""
    repo.set_paused(db, True)
    module = repo.get_module_by_name(db, TABLE)
    run_id = repo.enqueue_run(db, module.id, triggered_by="user:user1").id
    for begin in range(0, LOG_CHARS * 9 // 10, LOG_CHARS // 20):
        repo.append_live_log(db, run_id, _write_lines(begin, LOG_CHARS // 20))
    ended = asyncio.Event()
    watching = [
        asyncio.create_task(_watch(port, cookies[number % len(cookies)], run_id, number, ended))
        for number in range(viewers)
    ]
    await asyncio.sleep(POLL_EVERY_S)
    repo.set_paused(db, False)
    deadline = time.monotonic() + RUN_WITHIN_S
    number = LOG_CHARS
    while repo.get_run(db, run_id).finished_at is None and time.monotonic() < deadline:
        repo.append_live_log(db, run_id, _write_lines(number, WRITE_CHARS))
        number += WRITE_CHARS
        await asyncio.sleep(WRITE_EVERY_S)
    ended.set()
    found = await asyncio.gather(*watching)
    run = repo.get_run(db, run_id)
    if run.status != "success":
        raise NotEqual(f"run {run_id} ended as {run.status}: {run.error}")
    return sum(run.stages.values()), [answer for each in found for answer in each]


async def _watch(port: int, cookie: str, run_id: int, number: int, ended: asyncio.Event) -> list[Answer]:
    """One viewer's answers, the run's end among them; viewers begin one after the other, as people do."""
    answers: list[Answer] = []
    stamp = ""
    due = time.monotonic() + POLL_EVERY_S * number / VIEWERS
    async with Visitor(port, cookie) as visitor:
        while True:
            await asyncio.sleep(max(due - time.monotonic(), 0))
            is_last = ended.is_set()
            have = f"&have={stamp}" if stamp else ""
            answer = await visitor.ask(f"/runs/{run_id}/live?tab=log{have}", "HX-Request: true\r\n")
            answers.append(answer)
            if is_last:
                return answers
            stamp = _read_stamp(answer) or stamp
            due += POLL_EVERY_S


def _read_stamp(answer: Answer) -> str:
    is_packed = answer.body.startswith(b"\x1f\x8b")
    begin = zlib.decompressobj(31).decompress(answer.body, 2000) if is_packed else answer.body
    found = _STAMP.search(begin)
    return str(json.loads(found[1])["have"]) if found else ""


def _write_lines(begin: int, chars: int) -> str:
    """Lines as a database might write them, no two alike."""
    places = range(begin, begin + chars, 80)
    return "".join(
        f"NOTICE: row {n:>10} of orders: {n * 7919 % 99991:05d} has no customer {n * n:016x}\n" for n in places
    )
