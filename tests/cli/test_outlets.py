# Output that cannot be written: full, closed, its reader gone. The real command line as a process of its own.
"""What moves rows goes on and ends as it would have; what only prints says that it could not."""

import os
import shlex
import signal

import pytest

from pipekit.runner.process import run_program, start_program, wait_until
from tests.cli.conftest import Home
from tests.patience import PATIENCE_S

FULL = "{command} >/dev/full 2>/dev/full; echo $? >code"
CLOSED = "{command} >&- 2>&-; echo $? >code"
GONE = "{{ {command} 2>&1; echo $? >code; }} | true"

STAGING = "select name from sqlite_schema where name like 'pipekit_staging.%' and name not like '%ledger%'"
QUERY = "select order_id, note from orders"
LOAD = ("jrunner", "-scu", "jdbc:sqlite:shop.db", "-sq", "q.sql", "-dcu", "jdbc:sqlite:dw.db", "-dt", "loaded")
ACTS = (
    (("run", "all_orders"), "all_orders"),
    (("run-group", "nightly"), "orders"),
    (("copy", "shop", QUERY, "dw", "loaded"), "loaded"),
    (LOAD, "loaded"),
)
PRINTS = (
    ("query", "shop", QUERY),
    ("query", "shop", QUERY, "--format", "csv"),
    LOAD[:5],
    ("export",),
    ("runs", "list"),
)


def run_in_shell(home: Home, form: str, *words: str) -> tuple[int, str]:
    """The exit code, and what the file `told` of the folder holds."""
    (home.folder / "told").write_text("")
    script = f"cd {shlex.quote(str(home.folder))}; {form.format(command=shlex.join(home.argv(*words)))}"
    run_program(["sh", "-c", script], timeout_s=PATIENCE_S)
    return int((home.folder / "code").read_text()), (home.folder / "told").read_text()


@pytest.fixture
def shop(shop: Home) -> Home:
    shop.sql("dw.db", "create table loaded (order_id integer, note text)")
    shop.write("q.sql", QUERY)
    return shop


@pytest.mark.parametrize("form", [FULL, CLOSED, GONE], ids=["full", "closed", "gone"])
def test_what_moves_rows_ends_as_it_would_have(shop: Home, form: str) -> None:
    for words, table in ACTS:
        assert run_in_shell(shop, form, *words) == (0, ""), words
        assert shop.sql("dw.db", f"delete from {table} returning 1") == [(1,)] * 1000
    assert shop.sql("dw.db", STAGING) == []


def test_a_run_that_fails_says_so_by_its_exit_code_alone(shop: Home) -> None:
    assert run_in_shell(shop, CLOSED, "run", "broken") == (1, "")
    assert shop.ok_json("runs", "list")[0]["status"] == "error"
    for form in (FULL, CLOSED, GONE):
        assert run_in_shell(shop, form, "run", "nosuch", "--json") == (2, "")


def test_what_only_prints_says_that_it_could_not(shop: Home) -> None:
    shop.ok("run", "all_orders")
    for words in PRINTS:
        code, told = run_in_shell(shop, "{command} >/dev/full 2>told; echo $? >code", *words)
        assert code == 1, words
        assert told.startswith("Error: Standard output cannot be written: No space left on device.\nHint: ")


def test_closed_output_is_named_and_a_reader_that_left_is_not(shop: Home) -> None:
    code, told = run_in_shell(shop, "{command} >&- 2>told; echo $? >code", *PRINTS[1])
    assert (code, told) == (1, "Error: Standard output cannot be written: it is closed.\n")
    many = "with recursive n(i) as (select 1 union all select i + 1 from n) select i from n"
    for words in (("query", "shop", many), ("query", "shop", many, "--format", "json")):
        code, told = run_in_shell(shop, "{{ {command} 2>told; echo $? >code; }} | head -n 1", *words)
        assert (code, told) == (141, "")


def test_a_pipe_or_a_link_is_written_through_and_never_replaced(shop: Home) -> None:
    os.mkfifo(shop.folder / "pipe")
    read = "cat pipe >read & {command} >told 2>&1; echo $? >code; wait"
    assert run_in_shell(shop, read, "export", "pipe") == (0, "Wrote pipe.\n")
    (shop.folder / "link").symlink_to("real.yaml")
    shop.ok("export", str(shop.folder / "link"))
    exported = shop.ok("export")
    assert (shop.folder / "pipe").is_fifo()
    assert (shop.folder / "link").is_symlink()
    assert (shop.folder / "read").read_text() == (shop.folder / "real.yaml").read_text() == exported


def test_a_character_that_the_output_has_not_is_named(shop: Home) -> None:
    shown = shop.run_apart("query", "shop", "select 'ż' as a", "--format", "csv", PYTHONIOENCODING="latin-1")
    assert (shown.code, shown.stderr.splitlines()[0]) == (
        2,
        "Error: Standard output is latin-1 here, which has no '\\u017c'.",
    )


def test_a_terminal_that_goes_away_cancels_a_load_unless_it_was_started_to_outlive_it(shop: Home) -> None:
    slow = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000000000) select i, 'x' from n"
    shop.write("q.sql", slow)
    command = f"cd {shlex.quote(str(shop.folder))}; exec {shlex.join(shop.argv(*LOAD))}"
    for before, number in (("", signal.SIGHUP), ("trap '' HUP; ", signal.SIGTERM)):
        program = start_program(["sh", "-c", before + command], env=dict(os.environ), log_path=shop.folder / "log")
        assert wait_until(lambda: shop.sql("dw.db", STAGING) != [], PATIENCE_S)
        # Kernel and shell each send one.
        os.kill(program.pid, signal.SIGHUP)
        os.kill(program.pid, signal.SIGHUP)
        if number != signal.SIGHUP:
            assert program.wait(1.0) is None
            os.kill(program.pid, number)
        assert program.wait(PATIENCE_S) == 1
        assert (shop.folder / "log").read_text().endswith("Error: The run was cancelled during stage.\n")
        assert shop.sql("dw.db", STAGING) == []
