# Pages stay cheap: a fixed number of statements however much there is, and no walk through the record of runs.
"""Statements of each page, counted and explained."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipekit import repo
from tests.pages.records import make_run, start_run
from tests.pages.site import Site, Visitor

PATHS: tuple[str, ...] = (
    "/",
    "/modules",
    "/modules?sort=took&desc=1",
    "/modules?state=failing",
    "/modules/1",
    "/runs",
    "/runs/1",
)
PATHS += (
    "/runs?status=error",
    "/runs?module=m1&status=error",
    "/group-runs",
    "/status",
    "/search?q=m",
    "/runs/1/live",
)
# What one line for each run of the record would come to; rows of small tables may be walked.
LARGE = ("run_log", "run_log_chunk", "group_run", "schedule_fire")


def write_something(site: Site) -> None:
    """So that nothing a page kept of its last time is good enough for the next."""
    repo.set_paused(site.db, False)


def fill(site: Site, modules: int) -> None:
    group = repo.create_group(site.db, name=f"g{modules}")
    for number in range(modules):
        module = site.make_module(f"m{modules}_{number}" if number else f"m{modules}")
        repo.create_member(site.db, group_id=group.id, module_id=module.id)
        make_run(site, module)
        make_run(site, module, "error", error_stage="merge", error="no")
        if number % 2:
            start_run(site, module)
    repo.create_schedule(site.db, group_id=group.id, cron="0 4 * * *")
    for name in ("orders", "prices"):
        repo.create_schedule(site.db, group_id=repo.create_group(site.db, name=f"{name}{modules}").id, cron="1 4 * * *")


@contextmanager
def counting(seen: list[str]) -> Iterator[list[str]]:
    seen.clear()
    counted: list[str] = []
    yield counted
    counted += [sql for sql in seen if sql.lstrip()[:6].upper() in ("SELECT", "WITH R", "UPDATE", "INSERT", "DELETE")]


@pytest.mark.parametrize("path", PATHS)
def test_more_of_everything_does_not_mean_more_statements(
    site: Site, vera: Visitor, traced: list[str], path: str
) -> None:
    fill(site, 1)
    vera.get(path)
    write_something(site)
    with counting(traced) as few:
        assert vera.get(path).status == 200
    fill(site, 12)
    with counting(traced) as many:
        assert vera.get(path).status == 200
    assert len(few) == len(many), "\n".join(many)
    assert len(many) <= 16, "\n".join(many)


@pytest.mark.parametrize("path", PATHS)
def test_no_page_walks_through_the_record_of_runs(site: Site, vera: Visitor, traced: list[str], path: str) -> None:
    fill(site, 3)
    with counting(traced) as statements:
        assert vera.get(path).status == 200
    for sql in statements:
        for step in site.db.rows(f"EXPLAIN QUERY PLAN {sql}"):
            detail = str(step["detail"])
            table = find_scanned(sql, detail)
            assert table is None or is_bounded(sql, table), f"{detail}\n{sql}"
            # Of runs that have ended the index by status holds a million: only a list with a limit may begin there.
            ended = "run_log_by_status" in detail and any(f"status = '{name}'" in sql for name in ("error", "success"))
            assert not ended or is_bounded(sql, "run_log"), f"{detail}\n{sql}"


def find_scanned(sql: str, detail: str) -> str | None:
    """The large table a step walks from end to end."""
    words = detail.split()
    if words[0] != "SCAN":
        return None
    aliases = {"r": "run_log", "v": "group_run", "g": "grp", "good": "group_run", "f": "schedule_fire"}
    name = words[1]
    table = name if name in LARGE else aliases.get(name, "")
    return table if table in LARGE and table in sql else None


def is_bounded(sql: str, table: str) -> bool:
    """A walk backwards along the ids that stops at a limit."""
    return "ORDER BY" in sql and "LIMIT" in sql and f"FROM {table}" in sql
