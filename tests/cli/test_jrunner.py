# `pipekit jrunner` as old scripts call it: the same flags, the same output, exit codes that a script understands.
"""The real command on SQLite files."""

import json
import os
import re
from pathlib import Path

import pytest

from pipekit.runner.process import Finished, run_program, start_program, wait_until
from tests.cli.conftest import Home
from tests.patience import PATIENCE_S

SECRET = "damson-and-quince"


@pytest.fixture
def files(home: Home) -> Home:
    home.sql(
        "from.db",
        "create table a (i integer, t text, n text)",
        "insert into a values (1, ' x ', null), (2, 'a,\"b\"', ''), (3, 'tab\there', 'line\nend')",
    )
    home.sql("to.db", "create table b (k integer primary key, t text, n text, more text)")
    home.write("pull.sql", "select * from a order by i; -- all of it\n")
    return home


def jrunner(home: Home, *words: str, **environ: str) -> Finished:
    """Run where the files are, as jrunner would be."""
    argv = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(home.folder), *home.argv("jrunner", *words)]
    return run_program(argv, timeout_s=PATIENCE_S, env={**os.environ, **environ})


SOURCE = ("-scu", "jdbc:sqlite:from.db", "-sq", "pull.sql")
DEST = ("-dcu", "jdbc:sqlite:to.db", "-dt", "b")


def test_query_mode_prints_csv_and_nothing_else(files: Home) -> None:
    got = jrunner(files, *SOURCE, "-f", "csv")
    assert (got.code, got.stderr) == (0, "")
    assert got.stdout == 'i,t,n\n1," x ",\n2,"a,""b""",""\n3,tab\there,"line\nend"\n'


def test_query_mode_prints_tsv_and_trims(files: Home) -> None:
    got = jrunner(files, *SOURCE, "-f", "tsv", "-t")
    assert got.stdout == 'i\tt\tn\n1\tx\t\n2\ta,"b"\t\n3\ttab\\there\tline\\nend\n'


def test_migration_mode_counts_and_says_rows_and_times(files: Home) -> None:
    got = jrunner(files, *SOURCE, *DEST)
    assert (got.code, got.stderr) == (0, "")
    *ticks, rows, start, end, elapsed = got.stdout.splitlines()
    assert all(line.isdecimal() for line in ticks)
    assert rows == "3 rows"
    assert (start.split()[0], end.split()[0]) == ("start", "end")
    assert re.fullmatch(r"elapsed  \d+\.\d{3} s", elapsed)
    assert files.sql("to.db", "select k, t, n, more from b order by k") == [
        (1, " x ", None, None), (2, 'a,"b"', "", None), (3, "tab\there", "line\nend", None),
    ]  # fmt: skip


def test_a_parameter_for_the_jdbc_driver_alone_is_told_and_left_out(files: Home) -> None:
    got = jrunner(files, *SOURCE, "-dcu", "jdbc:sqlite:to.db?journal_mode=WAL", "-dt", "B")
    assert got.code == 0
    assert got.stderr == "Note: 'journal_mode' of -dcu concerns its JDBC driver alone and is left out.\n"
    assert files.sql("to.db", "select count(*) from b") == [(3,)]


def test_without_clear_rows_are_added_and_with_it_the_table_is_emptied_first(files: Home) -> None:
    files.sql("to.db", "insert into b (k, t) values (9, 'old')")
    assert jrunner(files, *SOURCE, *DEST, "-b").code == 0
    assert files.sql("to.db", "select count(*) from b") == [(4,)]
    assert jrunner(files, *SOURCE, *DEST, "-c", "-t").code == 0
    assert files.sql("to.db", "select k, t from b") == [(1, "x"), (2, 'a,"b"'), (3, "tab\there")]


def test_clearing_with_an_empty_query_leaves_an_empty_table(files: Home) -> None:
    files.sql("to.db", "insert into b (k, t) values (9, 'old')")
    files.write("pull.sql", "select * from a where i < 0")
    assert jrunner(files, *SOURCE, *DEST, "-c").code == 0
    assert files.sql("to.db", "select count(*) from b") == [(0,)]


def test_a_load_that_fails_leaves_the_table_as_it_was(files: Home) -> None:
    files.sql("to.db", "insert into b (k, t) values (9, 'old')")
    files.write("pull.sql", "select 1, 'a' union all select 1, 'b'")
    got = jrunner(files, *SOURCE, *DEST, "-c")
    assert got.code == 1
    assert got.stderr.startswith("Error: ")
    assert "UNIQUE constraint failed" in got.stderr
    assert files.sql("to.db", "select k, t from b") == [(9, "old")]
    assert files.sql("to.db", "select name from sqlite_master where name like '%jrunner%' or name like '%copy_%'") == []


def test_a_value_that_does_not_fit_is_refused_unless_it_may_be_converted(files: Home) -> None:
    files.write("pull.sql", "select '007' as k")
    files.sql("to.db", "create table whole (k integer)")
    words = (*SOURCE, "-dcu", "jdbc:sqlite:to.db", "-dt", "whole")
    got = jrunner(files, *words)
    assert got.code == 1
    assert "007" in got.stderr
    assert "--inexact" in got.stderr
    assert jrunner(files, *words, "--inexact").code == 0
    assert files.sql("to.db", "select k from whole") == [(7,)]


def test_a_refusal_that_no_flag_lifts_has_a_hint_without_one(files: Home) -> None:
    files.sql("to.db", "create table whole (k integer not null)")
    words = (*SOURCE, "-dcu", "jdbc:sqlite:to.db")
    files.write("pull.sql", "select null as k")
    assert "--inexact" not in jrunner(files, *words, "-dt", "whole").stderr
    assert "Hint: Of a module this would be said: Create it" in jrunner(files, *words, "-dt", "nosuch").stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("-scu", "jdbc:nobody:x", "-sq", "pull.sql"), 2, "There is no driver for the URL"),
        (("-scu", "jdbc:sqlite:none.db", "-sq", "pull.sql"), 1, "none.db"),
        # A wrong address is a wrong flag in both modes.
        (("-scu", "jdbc:sqlite:file:x", "-sq", "pull.sql"), 2, "plain file"),
        (("-scu", "jdbc:sqlite:file:x", "-sq", "pull.sql", "-dcu", "jdbc:sqlite:to.db", "-dt", "b"), 2, "plain file"),
        ((*SOURCE, "-dcu", "jdbc:postgresql://h/d?sslmode=maybe", "-dt", "b"), 2, "sslmode cannot be 'maybe'"),
        ((*SOURCE, "-dt", "b"), 2, "-dcu and -dt"),
        ((*SOURCE, "-dcu", "jdbc:sqlite:gone.db", "-dt", "b"), 2, "There is no file"),
        ((*SOURCE, "-dcu", "jdbc:sqlite:to.db", "-dt", "nope"), 1, "no dest table nope"),
        (("-scu", "jdbc:sqlite:from.db", "-sq", "missing.sql"), 2, "missing.sql"),
    ],
)
def test_what_is_wrong_is_said_on_standard_error_with_a_code(
    files: Home, words: tuple[str, ...], code: int, told: str
) -> None:
    got = jrunner(files, *words)
    assert got.code == code
    assert told in got.stderr
    assert got.stdout == ""


def test_it_needs_no_installation(files: Home, tmp_path: Path) -> None:
    got = jrunner(files, *SOURCE, PIPEKIT_HOME=str(tmp_path / "nowhere"))
    assert got.code == 0
    assert not (tmp_path / "nowhere").exists()


def test_doctor_warns_of_an_installed_jrunner_and_misses_one_that_is_not_there(home: Home) -> None:
    for program, level in (("/bin/true", "warn"), ("/no/such/jrunner", "bad")):
        (home.state / "config.yaml").write_text(f"runner: jrunner\njrunner: {program}\n", "utf-8")
        findings = json.loads(home.run("doctor", "--json").stdout)["findings"]
        [finding] = [item for item in findings if item["name"] == "jrunner"]
        assert finding["level"] == level
        assert program in finding["detail"]
        assert "runner: native" in finding["mend"]


def test_passwords_are_gone_from_the_command_line(files: Home) -> None:
    """The query's file is a pipe that nobody writes to yet, so the program waits where it can be looked at."""
    os.mkfifo(files.folder / "wait.sql")
    url = f"jdbc:sqlite:{files.folder}/from.db?password={SECRET}"
    words = (
        "jrunner",
        "-scu",
        url,
        "-scn",
        "me",
        "-scp",
        SECRET,
        "-dcp",
        SECRET,
        "-sq",
        str(files.folder / "wait.sql"),
    )
    program = start_program(files.argv(*words), env=dict(os.environ), log_path=files.folder / "log")
    try:
        command_line = Path(f"/proc/{program.pid}/cmdline")

        def is_hidden() -> bool:
            """Behind flags first, in addresses right after it."""
            shown = command_line.read_bytes()
            return b"-scp\0****" in shown and SECRET.encode() not in shown

        assert wait_until(is_hidden, PATIENCE_S)
        seen = command_line.read_bytes().split(b"\0")
        stars = b"*" * len(SECRET)
        assert seen[seen.index(b"-scp") + 1] == stars
        assert seen[seen.index(b"-scn") + 1] == b"me"
        assert seen[seen.index(b"-scu") + 1].endswith(b"password=" + stars)
        assert SECRET.encode() not in Path(f"/proc/{program.pid}/environ").read_bytes()
    finally:
        program.kill()


def test_passwords_are_gone_before_anything_of_the_command_line_is_loaded(files: Home) -> None:
    """A `click` that stands in the way of the real one tells what everybody could read when it was asked for."""
    (files.folder / "click.py").write_text("import sys\nsys.exit(open('/proc/self/cmdline', 'rb').read())\n")
    words = ("jrunner", "-scu", f"jdbc:sqlite:x.db?password={SECRET}", "-scp", SECRET, "-sq", "x.sql")
    told = run_program(files.argv(*words), timeout_s=PATIENCE_S, env={**os.environ, "PYTHONPATH": str(files.folder)})
    assert "-scp" in told.stderr
    assert "*" * len(SECRET) in told.stderr
    assert SECRET not in told.stderr
