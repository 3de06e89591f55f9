# The two keys of config.yaml that choose jrunner.
"""`runner` and `jrunner`."""

from pathlib import Path

import pytest

from pipekit.config import load_config
from pipekit.engine.runners import start_runner
from pipekit.errors import ConfigError
from pipekit.runner.jrunner import JrunnerRunner


def load(folder: Path, text: str) -> tuple[str, str]:
    (folder / "config.yaml").write_text(text, "utf-8")
    config = load_config({"PIPEKIT_HOME": str(folder)})
    return config.runner, config.jrunner


def test_the_native_runner_is_the_default(tmp_path: Path) -> None:
    assert load(tmp_path, "") == ("native", "jrunner")


def test_a_path_starts_at_the_file_and_a_bare_name_is_looked_up_on_path(tmp_path: Path) -> None:
    assert load(tmp_path, "runner: jrunner\njrunner: bin/jrunner\n") == ("jrunner", f"{tmp_path}/bin/jrunner")
    assert load(tmp_path, "jrunner: jr\n") == ("native", "jr")


def test_the_kinds_that_are_loaded_in_bulk_can_be_named(tmp_path: Path) -> None:
    for text, kinds in (
        ("", ("postgresql", "sqlserver")),
        ("jrunner_bulk: [db2i]\n", ("db2i",)),
        ("jrunner_bulk: []", ()),
    ):
        (tmp_path / "config.yaml").write_text(text, "utf-8")
        assert load_config({"PIPEKIT_HOME": str(tmp_path)}).jrunner_bulk == kinds


@pytest.mark.parametrize("text", ["runner: java\n", "jrunner: ''\n", "jrunner: [a]\n", "jrunner_bulk: all\n"])
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        load(tmp_path, text)


def test_the_configuration_decides_which_runner_is_started(tmp_path: Path) -> None:
    for runner in ("native", "jrunner"):
        (tmp_path / "config.yaml").write_text(f"runner: {runner}\n", "utf-8")
        with start_runner(load_config({"PIPEKIT_HOME": str(tmp_path)})) as started:
            assert isinstance(started, JrunnerRunner) == (runner == "jrunner")
