# What every runner must do, on any database: the same tests for our own runner and for the one that drives jrunner.
"""`RunnerContract`: a test class inherits it and gives the fixtures `start`, `source` and `dest`.

Only what jrunner's command line can express is asked of all: names, rows, NULL, exact text, moving, counts, errors,
ends. Types of columns are not, and sources are read in sessions that need not be able to write.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from pipekit.errors import Cancelled, CheckFailed, RunnerError, StatementFailed, TimedOut
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Expect, Load, LoadColumn, Statement

StartRunner = Callable[..., NativeRunner]

AWKWARD = (" blank ", 'a "quoted", word', "line\nbreak", "tab\there", "", "café ✓", "a\\b", "'", "NULL")


@dataclass(frozen=True)
class Databases:
    """A source and a dest as a run has them, and how their kinds spell what the tests need."""

    source: Endpoint
    dest: Endpoint
    # The source's: numbers from 1 as `n(i)`, the name of one, what a query over them ends with, a text constant.
    numbers: str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})"
    named: str = "'row ' || i"
    end: str = ""
    text: str = "'{}'"
    # The dest's: a table's name in quotes, types of the columns `i` and `name`.
    quoted: str = '"{}"'
    types: tuple[str, str] = ("INTEGER", "TEXT")

    def count_to(self, rows: int, where: str = "") -> str:
        """A query for the numbers from 1 on, each with its name."""
        return f"{self.numbers.format(rows=rows)} SELECT i, {self.named} AS name FROM n{where}{self.end}"

    @property
    def endless(self) -> str:
        """A query whose one row does not come."""
        return f"{self.numbers.format(rows=10**12)} SELECT max(i) AS i FROM n{self.end}"

    def spell(self, text: str | None) -> str:
        """A text as a constant."""
        return "NULL" if text is None else self.text.format(text.replace("'", "''"))

    def build_load(self, table: str = "staged") -> Load:
        """A load of `count_to` into a table."""
        columns = [
            LoadColumn(source_name=name, source_type="", stage_name=name, stage_type=type_)
            for name, type_ in zip(("i", "name"), self.types, strict=True)
        ]
        return Load(table=self.quoted.format(table), columns=tuple(columns))


class RunnerContract:
    """The tests."""

    @pytest.fixture
    def start(self) -> StartRunner:
        raise NotImplementedError

    @pytest.fixture
    def databases(self) -> Databases:
        raise NotImplementedError

    @pytest.fixture
    def runner(self, start: StartRunner) -> Iterator[NativeRunner]:
        with start() as runner:
            yield runner

    # -- reading -------------------------------------------------------------------------------------------------------

    def test_a_query_gives_names_and_rows(self, runner: NativeRunner, databases: Databases) -> None:
        got = runner.query(databases.source, "SELECT 1 AS one, 'two' AS \"Two\"")
        assert [column.name for column in got.columns] == ["one", "Two"]
        assert got.rows == (("1", "two"),)

    def test_text_arrives_as_it_is(self, runner: NativeRunner, databases: Databases) -> None:
        rows = [f"SELECT {databases.spell(text)} AS a, {i} AS b" for i, text in enumerate(AWKWARD)]
        got = runner.query(databases.source, " UNION ALL ".join(rows) + " ORDER BY b").rows
        assert got == tuple((text, str(i)) for i, text in enumerate(AWKWARD))

    def test_null_is_not_an_empty_string(self, runner: NativeRunner, databases: Databases) -> None:
        assert runner.query(databases.source, "SELECT NULL AS a, '' AS b, 1 AS c").rows == ((None, "", "1"),)
        assert runner.query(databases.source, "SELECT NULL AS a").first_cell() is None

    def test_no_row_is_no_value_and_the_columns_are_known(self, runner: NativeRunner, databases: Databases) -> None:
        got = runner.query(databases.source, "SELECT 1 AS a, 2 AS b WHERE 1 = 0")
        assert [column.name for column in got.columns] == ["a", "b"]
        assert got.rows == ()
        assert got.first_cell() is None

    def test_a_limit_ends_the_query(self, runner: NativeRunner, databases: Databases) -> None:
        got = runner.query(databases.source, databases.count_to(200_000), limit=3)
        assert [row[0] for row in got.rows] == ["1", "2", "3"]

    def test_a_stream_gives_every_row_once(self, runner: NativeRunner, databases: Databases) -> None:
        blocks = list(runner.stream(databases.source, databases.count_to(25_000)))
        rows = [row for block in blocks for row in block.rows]
        assert len(blocks) > 1
        assert rows == [(str(i), f"row {i}") for i in range(1, 25_001)]

    def test_a_refused_query_says_why_and_the_runner_goes_on(self, runner: NativeRunner, databases: Databases) -> None:
        with pytest.raises(StatementFailed, match="nowhere"):
            runner.query(databases.source, "SELECT * FROM nowhere")
        assert runner.query(databases.source, "SELECT 1 AS a").first_cell() == "1"

    def test_several_looks_are_answered_together(self, runner: NativeRunner, databases: Databases) -> None:
        found = runner.look(databases.dest, ["SELECT 1 AS a", "SELECT 'four' AS b"])
        assert [(block.columns[0].name, block.rows) for block in found] == [("a", (("1",),)), ("b", (("four",),))]
        assert runner.look(databases.dest, []) == []

    # -- changing ------------------------------------------------------------------------------------------------------

    def test_statements_are_one_transaction(self, runner: NativeRunner, databases: Databases) -> None:
        runner.execute(databases.dest, [Statement(sql="CREATE TABLE t (a INTEGER)")])
        insert = Statement(sql="INSERT INTO t VALUES (1), (2)", name="inserted")
        assert runner.execute(databases.dest, [insert]) == {"inserted": 2}
        expect = Expect(names=("inserted",), equals=3, message="got {got}, not {equals}")
        with pytest.raises(CheckFailed, match="got 2, not 3"):
            runner.execute(databases.dest, [insert], [expect])
        assert runner.query(databases.dest, "SELECT count(*) FROM t").first_cell() == "2"

    # -- moving --------------------------------------------------------------------------------------------------------

    def test_rows_move_and_are_counted_on_both_sides(self, runner: NativeRunner, databases: Databases) -> None:
        _make_staging(runner, databases)
        ticks: list[int] = []
        sql = databases.count_to(10_300)
        loaded = runner.migrate(databases.source, sql, databases.dest, databases.build_load(), ticks.append)
        assert (loaded.rows_read, loaded.rows_staged) == (10_300, 10_300)
        assert ticks == sorted(ticks)
        got = runner.query(databases.dest, "SELECT count(*), sum(i), min(name), max(name) FROM staged").rows
        assert got == (("10300", str(10_300 * 10_301 // 2), "row 1", "row 9999"),)

    def test_no_rows_move_as_well(self, runner: NativeRunner, databases: Databases) -> None:
        _make_staging(runner, databases)
        sql = databases.count_to(1, " WHERE i < 0")
        loaded = runner.migrate(databases.source, sql, databases.dest, databases.build_load())
        assert (loaded.rows_read, loaded.rows_staged) == (0, 0)

    def test_odd_text_and_null_move_unchanged(self, runner: NativeRunner, databases: Databases) -> None:
        _make_staging(runner, databases)
        values = [*((i, text) for i, text in enumerate(AWKWARD)), (99, None)]
        rows = [f"SELECT {i} AS i, {databases.spell(text)} AS name" for i, text in values]
        runner.migrate(databases.source, " UNION ALL ".join(rows), databases.dest, databases.build_load())
        got = runner.query(databases.dest, "SELECT i, name FROM staged ORDER BY i").rows
        assert got == tuple((str(i), text) for i, text in values)

    def test_a_load_that_is_refused_says_why(self, runner: NativeRunner, databases: Databases) -> None:
        _make_staging(runner, databases)
        load = databases.build_load("not_there")
        with pytest.raises(RunnerError, match="not_there"):
            runner.migrate(databases.source, databases.count_to(3), databases.dest, load)

    # -- ends ----------------------------------------------------------------------------------------------------------

    def test_the_stop_signal_ends_a_query(self, start: StartRunner, databases: Databases) -> None:
        stop = threading.Event()
        with start(stop=stop) as runner:
            threading.Timer(1.0, stop.set).start()
            with pytest.raises(Cancelled):
                runner.query(databases.source, databases.endless)
            assert not runner.alive

    def test_silence_has_a_limit(self, start: StartRunner, databases: Databases) -> None:
        with start(silence_timeout_s=1.5) as runner, pytest.raises(TimedOut, match=r"1\.5 s"):
            runner.query(databases.source, databases.endless)


def _make_staging(runner: NativeRunner, databases: Databases) -> None:
    number, text = databases.types
    runner.execute(databases.dest, [Statement(sql=f"CREATE TABLE staged (i {number}, name {text})")])
