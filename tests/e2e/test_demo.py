# The demo, played for real: SQLite to SQLite, and into a PostgreSQL of its own.
"""`run_demo` and what the documents say about it."""

import contextlib
import io
import os
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipekit.demo import run_demo
from pipekit.demo.postgres import find_postgres_folder
from pipekit.demo.proof import compare_table
from pipekit.demo.screen import Screen
from pipekit.demo.warehouse import POSTGRES_LINE, SQLITE_LINE, read_definition
from pipekit.errors import Invalid
from pipekit.runner_contract import Endpoint

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("customers", "orders", "order_lines")


@dataclass(frozen=True)
class Played:
    """The folder in which the demo was played to its end, and what it showed."""

    folder: Path
    shown: str


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """One demo for all that only look."""
    folder = tmp_path_factory.mktemp("demo") / "shop"
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        assert run_demo(folder) == 0, shown.getvalue()
    return Played(folder, shown.getvalue())


def read_rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    """All rows of a query on a SQLite file."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def test_the_demo_leaves_a_warehouse_equal_to_the_shop(played: Played) -> None:
    with closing(sqlite3.connect(played.folder / "shop.db")) as db:
        db.execute("ATTACH ? AS dest", (str(played.folder / "warehouse.db"),))
        for table in TABLES:
            for one, other in (("main", "dest"), ("dest", "main")):
                sql = f"SELECT * FROM {one}.{table} EXCEPT SELECT * FROM {other}.{table}"
                assert db.execute(sql).fetchall() == []
            sql = f"SELECT (SELECT count(*) FROM main.{table}) - (SELECT count(*) FROM dest.{table})"
            assert db.execute(sql).fetchone() == (0,)


def test_the_shop_holds_decimals_dates_unicode_and_nulls(played: Played) -> None:
    found = read_rows(
        played.folder / "shop.db",
        """SELECT count(*), sum(email IS NULL), sum(name GLOB '*[^ -~]*'), sum(credit_limit <> round(credit_limit)),
            sum(born GLOB '19??-??-??' OR born GLOB '20??-??-??') FROM customers""",
    )
    assert all(isinstance(number, int) and number > 500 for number in found[0])
    assert read_rows(played.folder / "shop.db", "SELECT count(*) FROM order_lines") == [(201_000,)]


def test_the_second_runs_moved_only_what_changed(played: Played) -> None:
    runs = read_rows(
        played.folder / ".pipekit" / "pipekit.db",
        "SELECT module, status, rows_read, rows_inserted, rows_updated FROM run_log ORDER BY id",
    )
    assert runs[:3] == [
        ("customers", "success", 5_000, 5_000, 0),
        ("orders", "success", 60_000, 60_000, 0),
        ("order_lines", "success", 200_000, 200_000, 0),
    ]
    # The order at the watermark itself comes again: `>=` misses nothing, and it is left as it is.
    assert runs[3:] == [
        ("customers", "success", 5_025, 5_025, 0),
        ("orders", "success", 751, 300, 450),
        ("order_lines", "success", 1_000, 1_000, 0),
    ]
    assert re.search(r"^orders +incremental +750 rows", played.shown, re.MULTILINE)


def test_the_demo_shows_both_receipts_and_the_proof(played: Played) -> None:
    assert "First run" in played.shown
    assert "Second run" in played.shown
    assert len(re.findall(r"rows +[\d ]+ values +equal$", played.shown, re.MULTILINE)) == 3
    assert "What to try next" in played.shown
    assert "\r" not in played.shown


def test_the_demo_can_be_played_again_in_its_own_folder(played: Played) -> None:
    (played.folder / "warehouse.db").write_bytes(b"not a database")
    assert run_demo(played.folder) == 0


def test_the_demo_refuses_a_folder_with_something_else_in_it(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Invalid, match=r"thesis\.txt"):
        run_demo(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_difference_is_found_and_shown(tmp_path: Path) -> None:
    for name, price in (("shop", 100), ("warehouse", 101)):
        with closing(sqlite3.connect(tmp_path / f"{name}.db")) as db:
            db.execute("CREATE TABLE orders (order_id, customer_id, status, total, note, ordered_on, updated_at)")
            db.execute("INSERT INTO orders VALUES (1, 2, 'new', ? / 100.0, NULL, '2026-01-01', '2026-01-01')", (price,))
            db.commit()
    sides = [
        Endpoint(kind="sqlite", jdbc_url=f"jdbc:sqlite:{name}.db", base_dir=str(tmp_path))
        for name in ("shop", "warehouse")
    ]
    verdict = compare_table("orders", *sides)
    assert "'100'" in verdict.difference
    assert "'101'" in verdict.difference


def test_the_demo_moves_into_a_postgresql_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if find_postgres_folder() is None and "CI" not in os.environ:
        pytest.skip("the demo extra is not installed")
    assert run_demo(tmp_path / "shop", postgres=True) == 0
    shown = capsys.readouterr().out
    assert len(re.findall(r"equal$", shown, re.MULTILINE)) == 3


def test_the_definition_of_the_demo_names_its_warehouse_on_one_line() -> None:
    assert read_definition().count(SQLITE_LINE) == 1
    assert POSTGRES_LINE.format(url="jdbc:postgresql://127.0.0.1:1/w").count("warehouse") == 1


def test_the_example_of_the_readme_is_the_demo_s_own_file() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert read_definition() in blocks


def test_two_texts_stand_side_by_side_and_long_lines_wrap() -> None:
    out = io.StringIO()
    screen = Screen(out)
    screen.width = 45
    screen.side_by_side(["short", "  a line that is too long for it"], ["other"])
    assert out.getvalue().splitlines() == [
        "short                 |  other",
        "  a line that is too  |",
        "    long for it       |",
    ]
