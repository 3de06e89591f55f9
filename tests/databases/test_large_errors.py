# Faults that quote values of megabytes: what the record, the log and the answers keep of them.
"""One large value in an error."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipekit.cutting import LINE, TOLD
from pipekit.demo.postgres import LocalPostgres
from tests.databases.test_runs import Bench

pytestmark = pytest.mark.usefixtures("near_when_quick")

LARGE = 1_000_000
# (source, dest, query, options, stage, words of the message)
FAULTS: dict[str, tuple[str, str, str, dict[str, Any], str]] = {
    "refused by the source": ("postgresql", "sqlite", f"select repeat('x', {LARGE})::int as id, 1 as v", {}, "plan"),
    "refused while it is read": (
        *("postgresql", "sqlite"),
        f"select repeat('x', {LARGE} + n)::int as id, 1 as v from generate_series(0, 1) n",
        *({}, "stage"),
    ),
    "does not fit": ("postgresql", "postgresql", f"select 1 as id, repeat('x', {LARGE}) as v", {}, "check"),
    "not staged": (
        *("sqlite", "postgresql"),
        f"select 1 as id, printf('%.{LARGE}c', 'x') as v",
        *({"merge_strategy": "full"}, "stage"),
    ),
    "a key that repeats": (
        *("postgresql", "postgresql"),
        f"select repeat('x', {LARGE}) as k from generate_series(1, 2)",
        *({"merge_strategy": "upsert", "merge_key": "k"}, "check"),
    ),
    "a hook's": (
        *("sqlite", "postgresql", "select 1 as id, 2 as v"),
        *({"hooks": [{"sql": f"select repeat('x', {LARGE})::int"}]}, "hook"),
    ),
    "a watermark": (
        *("postgresql", "sqlite", "select 1 as id, 2 as v where '{since}' <> ''"),
        *({"watermarks": [{"name": "since", "resolver_sql": f"select repeat('x', {LARGE})"}]}, "watermark"),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_large_value_in_an_error_is_told_by_its_ends(name: str, tmp_path: Path, postgres: LocalPostgres) -> None:
    source, dest, query, options, stage = FAULTS[name]
    bench = Bench(tmp_path, (source, dest), postgres)
    bench.dest.execute("create table t (id integer, v integer, k text)")
    for mark in options.get("watermarks", ()):
        mark["connection_id"] = bench.source_connection.id
    run = bench.project.run(bench.module(query, **options))
    log = bench.project.read_log(run.id)
    bench.close()
    assert (run.status, run.error_stage) == ("error", stage), run.error
    assert "xxxx" in (run.error or "")
    assert len(run.error or "") <= TOLD
    assert len(json.dumps(run.to_json())) < 20_000
    assert max(map(len, log.split("\n"))) <= LINE
    assert len(log) < 10 * LINE
    size = sum(path.stat().st_size for path in bench.project.home.glob("pipekit.db*"))
    assert size < LARGE
