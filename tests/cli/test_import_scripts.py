# `pipekit import-scripts` as a person uses it: file and report, what was not understood, secrets by name only.
"""The real command on folders of scripts."""

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Home

EXAMPLES = Path(__file__).parents[1] / "scripts_examples"


@pytest.fixture
def folder(home: Home) -> Path:
    """A folder with a job that is understood, and one that is not."""
    path = home.folder / "etl"
    good = (
        "URL=jdbc:sqlite:/data/a.db\nPW='crab apple'\n"
        'jrunner -scu $URL -scn me -scp "$PW" -sq pull.sql -dcu jdbc:sqlite:/data/b.db -dt t -c\n'
    )
    odd = (
        good + "sqlite3 /data/b.db \"delete from u where day > '2024'; insert into u select * from t\"\nfrobnicate -x\n"
    )
    for name, script in (("good", good), ("odd", odd)):
        (path / name).mkdir(parents=True)
        (path / name / "run.sh").write_text(script, "utf-8")
        (path / name / "pull.sql").write_text("select a, b from x where y = 'crab apple'\n", "utf-8")
    (path / "good" / "pull.sql").write_text("select a, b from x\n", "utf-8")
    return path


def test_the_file_goes_to_standard_output_and_the_report_beside_it(home: Home, folder: Path) -> None:
    done = home.run("import-scripts", str(folder))
    assert done.code == 0
    assert done.stdout.startswith("# Made by `pipekit import-scripts`.")
    assert "modules:" in done.stdout
    assert done.stderr.startswith("Modules:")


def test_with_an_output_file_the_report_is_the_answer(home: Home, folder: Path) -> None:
    out = home.folder / "out.yaml"
    done = home.run("import-scripts", str(folder), "--output", str(out))
    assert done.stdout.startswith("Modules:")
    assert "2 modules, 1 of them disabled" in done.stderr
    home.ok("secrets", "set", "PW", input_text="x\n")
    assert "+ module good" in home.ok("apply", str(out))
    assert "= module good" in home.ok("apply", str(out))


def test_what_was_not_understood_is_told_and_its_module_is_disabled(home: Home, folder: Path) -> None:
    report = home.ok_json("import-scripts", str(folder), "--output", str(home.folder / "out.yaml"))["report"]
    assert "odd: append into u (odd/run.sh:3), DISABLED" in report
    assert "deletes by a condition that no merge key expresses" in report
    assert "odd/run.sh:5: The command `frobnicate` was not understood." in report
    home.ok("apply", str(home.folder / "out.yaml"))
    enabled = {module["name"]: module["enabled"] for module in home.ok_json("modules", "list")}
    assert enabled == {"good": True, "odd": False}


def test_passwords_are_named_with_their_places_and_never_copied(home: Home, folder: Path) -> None:
    done = home.run("import-scripts", str(folder))
    assert "crab apple" not in done.stdout + done.stderr
    assert "password: $PW" in done.stdout
    assert "PW: good/run.sh:2, good/run.sh:3, odd/run.sh:2, odd/run.sh:3" in done.stderr
    assert "its SQL held a password, which was taken out" in done.stderr
    assert "where y = '****'" in done.stdout


def test_nothing_in_the_folder_is_run_or_changed(home: Home, folder: Path) -> None:
    touched = home.folder / "touched"
    (folder / "good" / "more.sh").write_text(f"touch {touched}\nX=$(touch {touched})\nrm -rf {folder}\n", "utf-8")
    before = sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*"))
    home.ok("import-scripts", str(folder))
    assert not touched.exists()
    assert sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*")) == before


def test_a_link_out_of_the_folder_is_not_read(home: Home, folder: Path) -> None:
    (home.folder / "outside.sql").write_text("select secret from elsewhere", "utf-8")
    (folder / "good" / "pull.sql").unlink()
    (folder / "good" / "pull.sql").symlink_to(home.folder / "outside.sql")
    done = home.run("import-scripts", str(folder))
    assert "elsewhere" not in done.stdout + done.stderr
    assert "its query's file pull.sql is not known" in done.stderr


def test_a_folder_without_scripts_and_one_that_is_missing(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = home.run("import-scripts", str(tmp_path / "empty"))
    assert done.code == 0
    assert "No load by jrunner was found." in done.stderr
    assert home.run("import-scripts", str(tmp_path / "missing")).code == 2


def test_text_that_is_no_text_and_scripts_that_are_broken_are_passed_over(home: Home, folder: Path) -> None:
    (folder / "good" / "picture.sql").write_bytes(b"\xff\xfe\0\1")
    (folder / "good" / "broken.sh").write_text("if [ \"$(cat <<X\n'\n", "utf-8")
    assert home.run("import-scripts", str(folder)).code == 0


def test_the_examples_leave_nothing_that_was_not_understood(home: Home, tmp_path: Path) -> None:
    for name in ("folders", "watermarks", "terse"):
        shutil.copytree(EXAMPLES / name, tmp_path / name)
        report = home.ok_json("import-scripts", str(tmp_path / name))["report"]
        assert "DISABLED" not in report
        assert "was not understood" not in report


def test_a_database_behind_a_jdbc_driver_is_of_the_kind_its_driver_is_registered_as(home: Home, tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text(
        "jrunner -scu 'jdbc:as400://erp/SHOP' -scn me -scp x -sq pull.sql -dcu jdbc:h2:tcp://h/shop -dt t -c\n", "utf-8"
    )
    (tmp_path / "pull.sql").write_text("select a from t\n", "utf-8")
    done = home.run("import-scripts", str(tmp_path))
    assert "driver: db2i" in done.stdout
    assert "driver: h2" in done.stdout
    for kind in ("db2i", "h2"):
        assert f"needs its JDBC driver: pipekit drivers add --kind {kind} --jar FILE" in done.stderr
