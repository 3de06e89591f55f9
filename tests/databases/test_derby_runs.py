# The corridor over JDBC: Derby as source and as dest, by the same tests as every other pair of kinds.
"""What `test_runs` says of every pair, with a registered driver on one side."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit.localpg import LocalPostgres
from pipekit.models import Connection
from pipekit.runner.native import NativeRunner
from tests.databases import test_runs
from tests.databases.jdbc import DERBY_CLIENT
from tests.databases.over_jdbc import JdbcDatabase, open_derby, register
from tests.databases.test_runs import (
    Bench,
    Database,
    test_a_dest_that_would_shrink_too_much_is_refused,
    test_a_dry_run_stores_the_text_and_moves_nothing,
    test_a_failing_hook_says_that_the_merge_was_committed,
    test_a_null_merge_key_is_refused_with_a_count_and_an_example,
    test_a_query_may_end_in_a_semicolon_or_a_comment,
    test_a_run_tells_its_stages_and_leaves_a_log_and_nothing_else,
    test_a_strategy_does_what_it_says_and_the_same_again,
    test_a_watermark_moves_the_query_on,
    test_an_empty_source_does_not_empty_the_dest,
    test_append_adds_each_time,
    test_columns_in_another_order_never_swap_values,
    test_columns_that_do_not_meet_are_named,
    test_hooks_run_in_order_and_by_outcome,
    test_incremental_reloads_a_key_that_is_not_unique,
    test_nulls_match_each_other_when_the_module_says_so,
    test_odd_names_work_everywhere,
    test_position_loads_a_query_without_usable_names,
    test_the_dest_table_is_made_from_the_query_when_it_is_missing,
    test_upsert_into_a_dest_with_a_repeated_key_rolls_back,
    test_upsert_of_nothing_but_keys_counts_matches,
    test_upsert_refuses_a_key_that_is_staged_twice,
)

# The fixture of this name is this file's own.
__all__ = [name for name in dir() if name.startswith("test_")]
PAIRS = [("derby", "sqlite"), ("derby", "postgresql"), ("postgresql", "derby")]


@pytest.fixture(scope="module")
def runner() -> Iterator[NativeRunner]:
    """What the tests themselves ask Derby with: one Java for all of them."""
    with NativeRunner(silence_timeout_s=120) as runner:
        yield runner


@pytest.fixture(params=PAIRS, ids=["-".join(pair) for pair in PAIRS])
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres, derby_server: int, runner: NativeRunner
) -> Iterator[Bench]:
    source, dest = request.param
    with open_derby(derby_server, f"runs_{time.monotonic_ns()}", runner) as derby:
        bench = DerbyBench(tmp_path, (source, dest), postgres, derby)
        yield bench
        bench.close()


class DerbyBench(Bench):
    """Derby on one side, registered as the kind `derby`."""

    def __init__(self, folder: Path, pair: tuple[str, str], postgres: LocalPostgres, derby: JdbcDatabase) -> None:
        self._derby = derby
        self._postgres = postgres
        self._folder = folder
        self.project = test_runs.Project(folder)
        register(self.project, "derby", DERBY_CLIENT, "jdbc:derby://{host}/{database}")
        self.source, self.dest = (self._open(kind) for kind in pair)
        self.source_connection = self._connect("source", self.source)
        self.dest_connection = self._connect("dest", self.dest)

    def _open(self, kind: str) -> Database:
        if kind == "derby":
            return self._derby  # type: ignore[return-value]
        return Database(kind, self._folder, self._postgres)

    def _connect(self, name: str, database: Database) -> Connection:
        if database.kind != "derby":
            return super()._connect(name, database)
        self.project.secrets.set("DERBY", "shop")
        return self.project.add_connection(name, database.url, username="shop", password="$DERBY")
