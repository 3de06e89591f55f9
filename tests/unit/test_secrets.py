# The secrets file: its format, its mode, its rewriting; and whose values are masked.
"""`Secrets`."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipekit.errors import ConfigError, Invalid, NotFound, SecretMissing
from pipekit.secrets import Secrets
from tests.profiles import examples


def write(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(mode)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets.env"


def read(path: Path, name: str) -> str | None:
    return Secrets(path, {}).resolve("$" + name)


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("A = spaced out ", "spaced out"),
        ("A=", ""),
        ("A=with=equals=", "with=equals="),
        ("A=with # hash", "with # hash"),
        ("A=#hash", "#hash"),
        ("A='single $x \\n'", "single $x \\n"),
        ("A='single' # comment", "single"),
        ('A="double"', "double"),
        (r'A="a\"b\\c\nd\re"', 'a"b\\c\nd\re'),
        (r'A="C:\temp"', r"C:\temp"),
        ('A=""', ""),
        ("A=mid'quote\"s", "mid'quote\"s"),
        ("A=é🙂", "é🙂"),
        ("A=one\nA=two", "two"),
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_a_line_is_read(path: Path, line: str, value: str, ending: str) -> None:
    write(path, "\ufeff# comment\n\n  # another = one\n" + line.replace("\n", ending or "\n") + ending)
    assert read(path, "A") == value


@pytest.mark.parametrize(
    "line", ["hunter2", "=hunter2", "1A=hunter2", "A B=hunter2", "A='hunter2", 'A="hunter2"x', "A-B=hunter2"]
)
def test_a_line_that_is_none_is_told_by_number_and_not_repeated(path: Path, line: str) -> None:
    write(path, f"OK=1\n# c\n{line}\n")
    with pytest.raises(ConfigError, match="line 3") as caught:
        read(path, "OK")
    assert "hunter2" not in caught.value.message + caught.value.hint
    assert caught.value.__cause__ is None


def test_text_that_is_not_utf8_is_told_by_line_without_its_bytes(path: Path) -> None:
    write(path, b"OK=1\nA=hunter2\xff\n")
    with pytest.raises(ConfigError, match="line 2") as caught:
        read(path, "OK")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_nul_in_a_value_is_refused(path: Path) -> None:
    write(path, b"A=a\0b\n")
    with pytest.raises(ConfigError, match="line 1"):
        read(path, "A")


def test_no_reference_has_no_value_and_something_else_is_no_reference(path: Path) -> None:
    secrets = Secrets(path, {})
    assert secrets.resolve(None) is None
    for text in ("hunter2", "$", "$1", "$A-B", "$A\n", ""):
        with pytest.raises(Invalid) as caught:
            secrets.resolve(text)
        assert "hunter2" not in str(caught.value)


def test_a_missing_secret_is_told_with_both_places_to_put_it(path: Path) -> None:
    with pytest.raises(SecretMissing) as caught:
        read(path, "DW_PASSWORD")
    told = f"{caught.value.message} {caught.value.hint}"
    assert str(path) in told
    assert "environment variable DW_PASSWORD" in told
    assert "pipekit secrets set DW_PASSWORD" in told


def test_the_environment_serves_and_the_file_goes_first(path: Path) -> None:
    environ = {"A_PASSWORD": "from environment", "B": "only there", "EMPTY": ""}
    secrets = Secrets(path, environ, declared=["B", "EMPTY"])
    assert secrets.resolve("$A_PASSWORD") == "from environment"
    write(path, "A_PASSWORD=from file\n")
    found = [secrets.resolve(reference) for reference in ("$A_PASSWORD", "$B", "$EMPTY")]
    assert found == ["from file", "only there", ""]
    assert secrets.names() == ["A_PASSWORD"]


@pytest.mark.parametrize(
    ("name", "is_given"),
    [
        *((name, True) for name in ("DW_PASSWORD", "PGPASSWORD", "dw_passwd", "DW_PW", "UPW", "DW_PASS_2", "MY_PWD")),
        *((name, False) for name in ("PATH", "PWD", "OLDPWD", "HOME", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK")),
    ],
)
def test_of_the_environment_only_what_is_named_like_a_password_or_declared_is_given_out(
    path: Path, name: str, is_given: bool
) -> None:
    secrets = Secrets(path, {name: "its value"})
    if is_given:
        assert secrets.resolve(f"${name}") == "its value"
    else:
        with pytest.raises(SecretMissing) as caught:
            secrets.resolve(f"${name}")
        assert f"list {name} under `secret_variables`" in caught.value.hint
    assert Secrets(path, {name: "its value"}, declared=[name]).resolve(f"${name}") == "its value"
    assert secrets.resolve(f"${name}", by_caller=True) == "its value"


def test_the_file_is_looked_at_when_a_reference_is_resolved_and_again_when_it_changed(path: Path) -> None:
    write(path, "A=1\n", 0o644)
    secrets = Secrets(path, {})
    assert secrets.resolve(None) is None
    with pytest.raises(ConfigError):
        secrets.resolve("$A")
    path.chmod(0o600)
    assert secrets.resolve("$A") == "1"
    write(path, "A=22\n")
    assert secrets.resolve("$A") == "22"
    path.unlink()
    with pytest.raises(SecretMissing):
        secrets.resolve("$A")


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o601, 0o660, 0o644, 0o666, 0o777, 0o620])
def test_a_file_others_can_get_at_is_refused_with_the_command_that_mends_it(path: Path, mode: int) -> None:
    write(path, "A=hunter2\n", mode)
    acts: list[Callable[[Secrets], object]] = [
        lambda s: s.resolve("$A"),
        lambda s: s.set("B", "x"),
        lambda s: s.delete("A"),
        lambda s: s.names(),
    ]
    for act in acts:
        with pytest.raises(ConfigError, match=f"{mode:04o}") as caught:
            act(Secrets(path, {}))
        assert f"chmod g-w,o-rwx {path}" in caught.value.hint
    assert path.read_text() == "A=hunter2\n"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400, 0o440])
def test_a_file_its_group_can_read_is_accepted(path: Path, mode: int) -> None:
    write(path, "A=1\n", mode)
    assert read(path, "A") == "1"


def test_of_a_symbolic_link_the_targets_mode_counts(tmp_path: Path, path: Path) -> None:
    target = write(tmp_path / "real.env", "A=1\n")
    path.symlink_to(target)
    assert read(path, "A") == "1"
    target.chmod(0o644)
    with pytest.raises(ConfigError):
        read(path, "A")


def test_a_folder_or_a_pipe_is_refused(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ConfigError, match="is a folder"):
        read(path, "A")
    path.rmdir()
    os.mkfifo(path, 0o600)
    with pytest.raises(ConfigError, match="not a plain file"):
        read(path, "A")


# -- writing -----------------------------------------------------------------------------------------------------------


def test_a_new_file_is_private_and_so_is_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "home" / "secrets.env"
    before = os.umask(0)
    try:
        Secrets(path, {}).set("A", "1")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_rewriting_keeps_comments_order_endings_and_mode(path: Path) -> None:
    write(path, "\ufeff# top\r\nA=1\r\n\n# b\nB = 'x' # note\nC=3", 0o640)
    secrets = Secrets(path, {})
    secrets.set("A", "new")
    secrets.set("D", "4")
    assert path.read_bytes().decode() == "# top\r\nA=new\r\n\n# b\nB = 'x' # note\nC=3\nD=4\n"
    secrets.delete("B")
    assert path.read_bytes().decode() == "# top\r\nA=new\r\n\n# b\nC=3\nD=4\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert secrets.names() == ["A", "C", "D"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_rewriting_keeps_the_owner(path: Path) -> None:
    write(path, "A=1\n", 0o640)
    os.chown(path, 12345, 23456)
    Secrets(path, {}).set("A", "2")
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (12345, 23456, 0o640)


def test_a_name_given_twice_is_set_where_it_counts_and_deleted_everywhere(path: Path) -> None:
    write(path, "A=1\nB=2\nA=3\n")
    secrets = Secrets(path, {})
    secrets.set("A", "4")
    assert path.read_text() == "A=1\nB=2\nA=4\n"
    assert secrets.resolve("$A") == "4"
    secrets.delete("A")
    assert path.read_text() == "B=2\n"


def test_a_link_stays_a_link_and_its_target_is_rewritten(tmp_path: Path, path: Path) -> None:
    (tmp_path / "real").mkdir()
    target = write(tmp_path / "real" / "x.env", "A=1\n")
    path.symlink_to(target)
    Secrets(path, {}).set("A", "2")
    assert path.is_symlink()
    assert target.read_text() == "A=2\n"


def test_what_cannot_be_kept_is_refused(path: Path) -> None:
    secrets = Secrets(path, {})
    for name, value in (("1A", "x"), ("A B", "x"), ("", "x"), ("A", "nul\0"), ("A", "\udcff")):
        with pytest.raises(Invalid):
            secrets.set(name, value)
    with pytest.raises(NotFound):
        secrets.delete("A")
    assert not path.exists()


def test_a_file_that_cannot_be_replaced_is_left_as_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, "A=1\n")

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ConfigError, match="cannot be written"):
        Secrets(path, {}).set("A", "hunter2")
    assert path.read_text() == "A=1\n"
    assert list(path.parent.iterdir()) == [path]


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_without_nul_reads_back_exactly(path: Path, value: str) -> None:
    write(path, "# top\nBEFORE=1\n")
    secrets = Secrets(path, {})
    secrets.set("A", value)
    secrets.set("AFTER", "2")
    assert Secrets(path, {}).resolve("$A") == value == secrets.resolve("$A")
    assert read(path, "BEFORE") == "1"
    assert read(path, "AFTER") == "2"


@settings(max_examples=examples(100), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text("ab'\"\\\r\n\t #=$\x85\u2028\ufeffn", max_size=8))
def test_awkward_text_reads_back_exactly(path: Path, value: str) -> None:
    path.unlink(missing_ok=True)
    Secrets(path, {}).set("A", value)
    assert read(path, "A") == value


def test_a_masker_knows_the_file_and_what_is_resolved_or_set_later(path: Path) -> None:
    write(path, "A=file-value\n")
    secrets = Secrets(path, {"B_PASSWORD": "environment-value", "C_PASSWORD": "never-resolved"})
    masker = secrets.masker()
    text = "file-value environment-value set-value never-resolved"
    assert masker.mask(text) == "**** environment-value set-value never-resolved"
    secrets.resolve("$B_PASSWORD")
    secrets.set("D", "set-value")
    assert masker.mask(text) == "**** **** **** never-resolved"
    secrets.delete("A")
    assert secrets.masker().mask(text) == "**** **** **** never-resolved"


def test_a_file_that_is_refused_does_not_keep_the_rest_from_being_masked(path: Path) -> None:
    secrets = Secrets(path, {"B_PASSWORD": "environment-value"})
    secrets.resolve("$B_PASSWORD")
    write(path, "A=1\n", 0o644)
    assert secrets.masker().mask("environment-value") == "****"


def test_nothing_that_holds_a_value_shows_it(path: Path) -> None:
    write(path, "A=hunter2-long\n")
    secrets = Secrets(path, {"B_PASSWORD": "hunter2-env"})
    secrets.resolve("$A")
    secrets.resolve("$B_PASSWORD")
    assert "hunter2" not in repr(secrets) + str(secrets) + repr(secrets.masker())
