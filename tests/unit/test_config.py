# Where Pipekit looks for its files, and what it says about a config.yaml that is wrong.
"""`load_config`."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipekit import config
from pipekit.config import Config, load_config
from pipekit.errors import ConfigError


@pytest.fixture(autouse=True)
def _no_deployed_pipekit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "DEPLOYED_HOME", tmp_path / "etc" / "pipekit")


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "config.yaml"
    path.write_text(text, "utf-8")
    return path


def test_without_anything_everything_lies_in_the_working_directory(tmp_path: Path) -> None:
    home = tmp_path / ".pipekit"
    assert load_config({}, tmp_path) == Config(
        home=home,
        base_dir=tmp_path,
        state_path=home / "pipekit.db",
        secrets_path=home / "secrets.env",
        jar_folder=home / "jars",
    )
    assert not home.exists()


def test_pipekit_home_says_where_everything_lies(tmp_path: Path) -> None:
    got = load_config({"PIPEKIT_HOME": "../there"}, tmp_path / "here")
    there = tmp_path / "there"
    assert (got.home, got.base_dir, got.state_path) == (there, there, there / "pipekit.db")
    assert load_config({"PIPEKIT_HOME": str(there / ".pipekit")}, tmp_path).base_dir == there
    assert load_config({"PIPEKIT_HOME": ""}, tmp_path).home == tmp_path / ".pipekit"


def test_a_deployed_pipekit_is_found_unless_there_is_one_here(tmp_path: Path) -> None:
    write(config.DEPLOYED_HOME, "lease_s: 30\n")
    got = load_config({}, tmp_path)
    assert (got.home, got.base_dir) == (config.DEPLOYED_HOME, config.DEPLOYED_HOME)
    assert got.state_path == Path("/var/lib/pipekit/pipekit.db")
    assert got.secrets_path == config.DEPLOYED_HOME / "secrets.env"
    assert got.jar_folder == Path("/opt/pipekit/jars")
    assert got.lease_s == 30.0
    assert load_config({"PIPEKIT_HOME": str(tmp_path / "x")}, tmp_path).home == tmp_path / "x"
    (tmp_path / ".pipekit").mkdir()
    assert load_config({}, tmp_path).home == tmp_path / ".pipekit"


def test_config_yaml_sets_everything_and_its_paths_start_at_its_folder(tmp_path: Path) -> None:
    text = """
state_path: ../state/pipekit.db
secrets_path: /secret/place.env
base_dir: data
connect_timeout_s: 5
silence_timeout_s: 1.5
run_timeout_s: 10
lease_s: 40
heartbeat_s: 4
retry_delays_s: [0, 2.5]
allowed_hosts: [pipekit.example.com, "10.0.0.1", "[::1]"]
trusted_proxies: [127.0.0.1, "fd00::/8"]
https: true
secret_variables: [DW_LOGIN]
jdbc_servers: [vendor]
"""
    write(tmp_path / ".pipekit", text)
    assert load_config({}, tmp_path) == Config(
        home=tmp_path / ".pipekit",
        base_dir=tmp_path / ".pipekit" / "data",
        state_path=tmp_path / "state" / "pipekit.db",
        secrets_path=Path("/secret/place.env"),
        jar_folder=tmp_path / "state" / "jars",
        connect_timeout_s=5.0,
        silence_timeout_s=1.5,
        run_timeout_s=10.0,
        lease_s=40.0,
        heartbeat_s=4.0,
        retry_delays_s=(0.0, 2.5),
        allowed_hosts=("pipekit.example.com", "10.0.0.1", "[::1]"),
        trusted_proxies=("127.0.0.1", "fd00::/8"),
        https=True,
        secret_variables=("DW_LOGIN",),
        jdbc_servers=("vendor",),
    )


def test_pipekit_config_names_the_file_and_must_exist(tmp_path: Path) -> None:
    write(tmp_path / "other", "state_path: state.db\n")
    got = load_config({"PIPEKIT_CONFIG": "other/config.yaml"}, tmp_path)
    assert got.state_path == tmp_path / "other" / "state.db"
    assert got.home == tmp_path / ".pipekit"
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        load_config({"PIPEKIT_CONFIG": "nowhere.yaml"}, tmp_path)


def test_pipekit_secrets_goes_before_the_file(tmp_path: Path) -> None:
    write(tmp_path / ".pipekit", "secrets_path: a.env\n")
    assert load_config({}, tmp_path).secrets_path == tmp_path / ".pipekit" / "a.env"
    assert load_config({"PIPEKIT_SECRETS": "b.env"}, tmp_path).secrets_path == tmp_path / "b.env"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "\ufefflease_s: 20\n"])
def test_a_file_may_say_nothing(tmp_path: Path, text: str) -> None:
    write(tmp_path / ".pipekit", text)
    assert load_config({}, tmp_path).lease_s == 20.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("leases: 5\n", ["`leases`", "lease_s", "state_path"]),
        ("home: /x\n", ["`home`"]),
        ("lease_s: soon\n", ["`lease_s`", "number of seconds greater than 0"]),
        ("lease_s: true\n", ["`lease_s`"]),
        ("lease_s: 0\n", ["`lease_s`"]),
        ("lease_s: .inf\n", ["`lease_s`"]),
        ("lease_s:\n", ["`lease_s`"]),
        ("state_path: 5\n", ["`state_path`", "path"]),
        ("state_path: ''\n", ["`state_path`"]),
        ("retry_delays_s: 5\n", ["`retry_delays_s`", "[1, 5]"]),
        ("retry_delays_s: [-1]\n", ["`retry_delays_s`"]),
        ("heartbeat_s: 11\n", ["`heartbeat_s`", "`lease_s` (20)"]),
        ("port: 70000\n", ["`port`", "0 to 65535"]),
        ("port: '80'\n", ["`port`"]),
        ("port: true\n", ["`port`"]),
        ("host: ''\n", ["`host`", "127.0.0.1"]),
        ("allowed_hosts: pipekit.example.com\n", ["`allowed_hosts`", "[pipekit.example.com]"]),
        ("allowed_hosts: ['http://a']\n", ["`allowed_hosts`"]),
        ("trusted_proxies: [proxy]\n", ["`trusted_proxies`", "[127.0.0.1, 10.0.0.0/8]"]),
        ("trusted_proxies: [10.0.0.1/8]\n", ["`trusted_proxies`", "host bits"]),
        ("https: 1\n", ["`https`", "true or false"]),
        ("secret_variables: [A-B]\n", ["`secret_variables`"]),
        ("- a\n", ["key: value"]),
        ("lease_s: 5\n  x: [\n", ["line 2", "not valid YAML"]),
    ],
)
def test_a_wrong_file_is_told_with_its_name_the_key_and_what_is_allowed(
    tmp_path: Path, text: str, told: list[str]
) -> None:
    path = write(tmp_path / ".pipekit", text)
    with pytest.raises(ConfigError) as caught:
        load_config({}, tmp_path)
    message = f"{caught.value.message} {caught.value.hint}"
    assert [part for part in [str(path), *told] if part not in message] == []


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ".pipekit" / "config.yaml").mkdir(parents=True)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config({}, tmp_path)
    (tmp_path / ".pipekit" / "config.yaml").rmdir()
    (tmp_path / ".pipekit" / "config.yaml").write_bytes(b"lease_s: \xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config({}, tmp_path)


def test_nothing_heavy_is_imported_without_a_config_yaml(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from pipekit import config, repo, secrets\n"
        "c = config.load_config({'PIPEKIT_HOME': sys.argv[1]}); repo.open_state(c.state_path, create=True).close()\n"
        "secrets.Secrets(c.secrets_path).masker()\n"
        "print([m for m in ('yaml', 'psycopg', 'rich', 'click', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
