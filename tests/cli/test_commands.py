# Everything of the command line that is not a run: files, secrets, listings, queries, errors.
"""The other commands, their output and their errors."""

import json
import os
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from pipekit import repo
from pipekit.runner.process import run_program
from tests.cli.conftest import SHOP, Home
from tests.patience import PATIENCE_S

# -- starting ----------------------------------------------------------------------------------------------------------


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pipekit.cli import main; main(['--help'])\n"
        "heavy = ('psycopg', 'yaml', 'rich', 'sqlite3', 'pipekit.engine', 'pipekit.runner', 'pipekit.repo')\n"
        "print([m for m in sys.modules if m.startswith(heavy)], file=sys.stderr)"
    )
    finished = run_program([sys.executable, "-c", code], timeout_s=PATIENCE_S)
    assert finished.stderr == "[]\n"
    assert "Exit codes:" in finished.stdout
    assert "3  busy" in finished.stdout


def test_the_version_is_printed(home: Home) -> None:
    from pipekit import __version__

    assert home.ok("--version") == f"pipekit {__version__}\n"


def test_a_process_ends_with_the_code_and_the_words_of_its_command(shop: Home) -> None:
    with closing(repo.open_state(shop.state / "pipekit.db")) as db:
        repo.create_group_run(db, repo.get_group_by_name(db, "nightly").id, triggered_by="manual")
    commands = {
        ("modules", "list"): 0,
        ("query", "shop", "select * from nowhere"): 1,
        ("run", "--no-such"): 2,
        ("run-group", "nightly"): 3,
    }
    for words, code in commands.items():
        apart = shop.run_apart(*words)
        assert apart.code == code, words
        assert apart == shop.run(*words)


def test_init_makes_private_files_and_can_be_repeated(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.ok("init")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [home.state, *home.state.iterdir()]}
    assert modes[".pipekit"] == 0o700
    assert modes["secrets.env"] == modes["pipekit.db"] == 0o600
    (home.state / "secrets.env").write_text("A=b\n")
    assert all(not item["made"] for item in home.ok_json("init")["files"])
    assert (home.state / "secrets.env").read_text() == "A=b\n"


def test_init_makes_the_configuration_that_the_environment_names_and_no_second_one(tmp_path: Path) -> None:
    home = Home(tmp_path)
    named = tmp_path / "etc" / "shop.yaml"
    made = home.ok_json("init", PIPEKIT_CONFIG=str(named))["files"]
    assert [item["path"] for item in made if item["path"].endswith(".yaml")] == [str(named)]
    assert named.exists()
    assert not (home.state / "config.yaml").exists()
    assert not any(item["made"] for item in home.ok_json("init", PIPEKIT_CONFIG=str(named))["files"])
    refused = home.run("runs", "list", PIPEKIT_CONFIG=str(tmp_path / "no.yaml"))
    assert (refused.code, "there is no such file" in refused.stderr) == (2, True)


def test_the_configuration_that_init_writes_shows_the_real_defaults(home: Home) -> None:
    from pipekit.config import load_config

    path = home.state / "config.yaml"
    environ = {"PIPEKIT_HOME": str(home.state)}
    before = load_config(environ)
    lines = path.read_text().splitlines()[1:]
    path.write_text("\n".join(line.removeprefix("# ") for line in lines))
    assert load_config(environ) == before


def test_without_a_home_the_hint_says_init(tmp_path: Path) -> None:
    finished = Home(tmp_path).run("runs", "list")
    assert finished.code == 2
    assert "pipekit init" in finished.stderr


# -- errors ------------------------------------------------------------------------------------------------------------


def test_a_usage_error_is_one_line_and_a_hint(home: Home) -> None:
    finished = home.run("run")
    assert (finished.code, finished.stdout) == (2, "")
    assert finished.stderr.splitlines() == ["Error: Missing argument 'MODULE'.", "Hint: Try 'pipekit run --help'."]


def test_with_json_an_error_is_a_document_too(home: Home) -> None:
    for words in (("runs", "list", "--no-such", "--json"), ("connections", "show", "none", "--json")):
        finished = home.run(*words)
        assert finished.code == 2
        assert set(json.loads(finished.stdout)["error"]) >= {"code", "message", "hint"}
        assert finished.stderr == ""


def test_a_mistake_of_the_program_shows_its_traceback_only_when_asked(home: Home) -> None:
    code = (
        "import sys, pipekit.cli.session as s\n"
        "def fail(self): raise RuntimeError('boom')\n"
        "s.Session.db = fail\n"
        "from pipekit.cli import main; sys.exit(main(['runs', 'list']))"
    )
    plain = run_program([sys.executable, "-c", code], timeout_s=PATIENCE_S)
    assert plain.code == 1
    assert plain.stderr.splitlines()[0] == "Error: Pipekit itself failed: RuntimeError: boom"
    assert "Traceback" not in plain.stderr
    env = {**os.environ, "PIPEKIT_DEBUG": "1"}
    assert "Traceback" in run_program([sys.executable, "-c", code], timeout_s=PATIENCE_S, env=env).stderr


def test_a_reader_that_goes_away_is_no_error(shop: Home) -> None:
    command = " ".join(f"'{word}'" for word in shop.argv("query", "shop", "-", "--format", "tsv"))
    sql = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000) select i from n"
    finished = run_program(["bash", "-c", f"{command} | head -n 2"], timeout_s=PATIENCE_S, input_text=sql)
    assert (finished.stdout, finished.stderr) == ("i\n1\n", "")


# -- definition files --------------------------------------------------------------------------------------------------


def test_applying_an_export_changes_nothing(shop: Home) -> None:
    exported = shop.ok("export")
    assert yaml.safe_load(exported)["groups"] == {
        "nightly": {"modules": ["orders", "all_orders"], "schedules": ["0 4 * * *"]}
    }
    changes = json.loads(shop.ok("apply", "-", "--prune", "--json", input_text=exported))["changes"]
    assert {change["action"] for change in changes} == {"leave"}
    target = shop.folder / "out.yaml"
    shop.ok("export", str(target))
    assert target.read_text() == exported


def test_a_plan_is_printed_and_a_dry_run_stops_there(shop: Home) -> None:
    edited = shop.write("edited.yaml", SHOP.replace("strategy: incremental", "strategy: upsert"))
    printed = shop.ok("apply", edited, "--dry-run").splitlines()
    assert "~ module orders" in printed
    assert "    strategy: incremental -> upsert" in printed
    assert "= connection shop" in printed
    assert "strategy: incremental" in shop.ok("modules", "show", "orders")


def test_each_mistake_of_a_file_has_its_line(home: Home) -> None:
    path = home.write("bad.yaml", "modules:\n  a: {query: x}\n  b c: {}\n")
    finished = home.run("apply", path)
    assert finished.code == 2
    lines = finished.stderr.splitlines()
    assert f"Error: {path}:2: modules.a.source: This field is missing." in lines
    assert len([line for line in lines if line.startswith("Error: ")]) == 8
    problems = json.loads(home.run("apply", path, "--json").stdout)["error"]["problems"]
    assert problems[0] == {"line": 2, "field": "modules.a.dest", "message": "This field is missing."}


def test_a_file_that_is_not_there_is_said_so(home: Home) -> None:
    finished = home.run("apply", "none.yaml")
    assert finished.code == 2
    assert finished.stderr == "Error: none.yaml cannot be read: No such file or directory.\n"


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_a_secret_comes_from_a_pipe_and_is_never_printed(home: Home) -> None:
    finished = home.run("secrets", "set", "DW_PASSWORD", input_text="s3cr3t value\n")
    assert finished.code == 0
    assert "s3cr3t" not in finished.stdout + finished.stderr
    assert home.ok_json("secrets", "list") == [{"name": "DW_PASSWORD"}]
    assert "s3cr3t" not in home.ok("secrets", "list")
    home.ok("secrets", "delete", "$DW_PASSWORD")
    assert home.ok_json("secrets", "list") == []
    assert home.run("secrets", "delete", "DW_PASSWORD").code == 2


def test_a_secret_on_the_command_line_is_warned_about(home: Home) -> None:
    finished = home.run("secrets", "set", "A", "value1234")
    assert finished.stderr.startswith("Warning: a value on the command line can be seen by others")
    assert "value1234" not in finished.stderr


def test_an_empty_secret_is_refused(home: Home) -> None:
    assert home.run("secrets", "set", "A", input_text="\n").code == 2


# -- listings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("runs", "list"), ("modules", "list"), ("connections", "list"), ("secrets", "list")])
def test_an_empty_listing_says_what_to_do_next(home: Home, words: tuple[str, ...]) -> None:
    finished = home.run(*words)
    assert (finished.code, finished.stdout) == (0, "")
    assert "pipekit" in finished.stderr
    assert home.ok_json(*words) == []


def test_connections_are_listed_shown_and_tested(shop: Home) -> None:
    assert [item["name"] for item in shop.ok_json("connections", "list")] == ["dw", "shop"]
    assert shop.ok_json("connections", "show", "shop")["modules"] == ["all_orders", "broken", "orders"]
    assert shop.ok_json("connections", "test", "shop")["ok"] is True
    shop.ok("apply", "-", input_text="connections:\n  gone: {driver: sqlite, jdbc_url: 'jdbc:sqlite:gone.db'}\n")
    assert shop.run("connections", "test", "gone").code == 1


def test_modules_are_listed_shown_and_switched(shop: Home) -> None:
    shop.ok("modules", "disable", "orders")
    assert "orders (disabled)" in shop.ok("modules", "list")
    assert shop.ok_json("modules", "show", "orders")["enabled"] is False
    shop.ok("modules", "enable", "orders")
    assert [item["enabled"] for item in shop.ok_json("modules", "list")] == [True, True, True]


# -- query -------------------------------------------------------------------------------------------------------------

ODD = "select 1 as a, null as b, '' as c, 'x,\"y' as d, char(9) || '\\' as e, char(27) || '[31mred' as f, 2 as a"


def test_csv_tells_null_from_the_empty_string(shop: Home) -> None:
    printed = shop.ok("query", "shop", ODD, "--format", "csv")
    assert printed == 'a,b,c,d,e,f,a\n1,,"","x,""y","\t\\",\x1b[31mred,2\n'


def test_tsv_escapes_what_would_break_a_line(shop: Home) -> None:
    printed = shop.ok("query", "shop", ODD, "--format", "tsv")
    assert printed.splitlines()[1] == '1\t\\N\t\tx,"y\t\\t\\\\\t\x1b[31mred\t2'


def test_json_is_one_list_and_names_stay_apart(shop: Home) -> None:
    rows = json.loads(shop.ok("query", "shop", ODD, "--format", "json"))
    assert rows == [{"a": "1", "b": None, "c": "", "d": 'x,"y', "e": "\t\\", "f": "\x1b[31mred", "a_2": "2"}]
    assert json.loads(shop.ok("query", "shop", "select 1 where 0", "--format", "json")) == []


def test_a_table_shows_no_control_characters(shop: Home) -> None:
    finished = shop.run("query", "shop", ODD)
    assert "\x1b" not in finished.stdout
    assert "NULL" in finished.stdout
    assert finished.stderr == "1 row\n"


def test_a_table_masks_secrets(shop: Home) -> None:
    shop.run("secrets", "set", "P", input_text="hunter2hunter2\n")
    assert "hunter2" not in shop.ok("query", "shop", "select 'hunter2hunter2' as p")


def test_a_limit_stops_the_stream(shop: Home) -> None:
    printed = shop.ok(
        "query", "shop", "-", "--limit", "2", "--format", "csv", input_text="select order_id from orders;\n"
    )
    assert printed == "order_id\n1\n2\n"


def test_a_query_cannot_write(shop: Home) -> None:
    assert shop.run("query", "shop", "delete from orders").code != 0
    assert shop.sql("shop.db", "select count(*) from orders") == [(1000,)]


# -- doctor, completion ------------------------------------------------------------------------------------------------


def test_doctor_finds_nothing_in_a_good_installation(shop: Home) -> None:
    report = shop.ok_json("doctor", "--connect")
    assert report["ok"] is True
    assert {"home", "secrets", "disk", "runner", "state", "driver sqlite", "driver postgresql", "connection shop"} <= {
        finding["name"] for finding in report["findings"]
    }


def test_doctor_names_what_is_bad_and_how_to_mend_it(shop: Home) -> None:
    (shop.state / "secrets.env").chmod(0o644)
    url = "jdbc:postgresql://127.0.0.1:1/x"
    text = f"connections:\n  pg: {{driver: postgresql, jdbc_url: '{url}', username: u, password: $NO_SUCH}}\n"
    shop.ok("apply", "-", input_text=text)
    finished = shop.run("doctor")
    assert finished.code == 1
    assert "chmod 0600" in finished.stdout
    (shop.state / "secrets.env").chmod(0o600)
    bad = [
        finding for finding in json.loads(shop.run("doctor", "--json").stdout)["findings"] if finding["level"] == "bad"
    ]
    assert [finding["name"] for finding in bad] == ["connection pg"]
    assert "pipekit secrets set NO_SUCH" in bad[0]["mend"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed(home: Home, shell: str) -> None:
    assert "_PIPEKIT_COMPLETE" in home.ok("completion", shell)


def test_names_of_modules_and_connections_are_completed(shop: Home) -> None:
    def complete(words: str) -> list[str]:
        position = str(len(words.split(" ")) - 1)
        environ = {
            "_PIPEKIT_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": position,
            "PIPEKIT_HOME": str(shop.state),
        }
        finished = run_program([sys.executable, "-m", "pipekit"], timeout_s=PATIENCE_S, env={**os.environ, **environ})
        return [line.split(",")[1] for line in finished.stdout.splitlines()]

    assert complete("pipekit run a") == ["all_orders"]
    assert complete("pipekit query s") == ["shop"]
    assert complete("pipekit runs sh") == ["show"]
