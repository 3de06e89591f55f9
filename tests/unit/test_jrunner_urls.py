# JDBC URLs as scripts hold them: which kind they are for, and the login in some of them.
"""`drivers/urls.py`."""

import pytest

from pipekit.drivers.urls import find_kind, split_java_only, split_login


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("jdbc:postgresql://h/db", "postgresql"),
        ("jdbc:sqlite:x.db", "sqlite"),
        ("jdbc:sqlserver://h;databaseName=x", "sqlserver"),
        ("jdbc:as400://h;naming=sql", "db2i"),
        ("JDBC:AS400://h", "db2i"),
        ("jdbc:nobody:x", None),
        ("postgresql://h/db", None),
    ],
)
def test_the_word_after_jdbc_says_the_kind(url: str, kind: str | None) -> None:
    assert find_kind(url) == kind


def test_a_registered_driver_claims_the_urls_of_its_template_but_none_of_a_built_in_kind() -> None:
    assert find_kind("jdbc:h2:mem:x", {"h2": "jdbc:h2:FILE"}) == "h2"
    assert find_kind("jdbc:sqlite:x", {"other": "jdbc:sqlite:FILE"}) == "sqlite"


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("jdbc:postgresql://h/d?user=u&password=p%26q&ssl=x", ("jdbc:postgresql://h/d?ssl=x", "u", "p&q")),
        ("jdbc:postgresql://u:p@h:5/db", ("jdbc:postgresql://h:5/db", "u", "p")),
        ("jdbc:postgresql://h/db?ApplicationName=x", ("jdbc:postgresql://h/db", None, None)),
        ("jdbc:sqlserver://h;databaseName=d;user=u;password={a=b}", ("jdbc:sqlserver://h;databaseName=d", "u", "a=b")),
        ("jdbc:as400://h;User=U;Password=P;naming=sql", ("jdbc:as400://h;naming=sql", "U", "P")),
        ("jdbc:sqlite:a@b.db", ("jdbc:sqlite:a@b.db", None, None)),
    ],
)  # fmt: skip
def test_a_login_is_taken_out_of_a_url(url: str, want: tuple[str, str | None, str | None]) -> None:
    login = split_login(url)
    assert (login.jdbc_url, login.username, login.password) == want
    assert "password" not in repr(login)


@pytest.mark.parametrize(
    ("url", "kept", "only"),
    [
        ("jdbc:postgresql://h/d?reWriteBatchedInserts=true", "jdbc:postgresql://h/d", ["reWriteBatchedInserts=true"]),
        ("jdbc:postgresql://h/d?a=1&prepareThreshold=0&b=2", "jdbc:postgresql://h/d?a=1&b=2", ["prepareThreshold=0"]),
        (
            "jdbc:sqlserver://h;databaseName={x;y};selectMethod=cursor;encrypt=true",
            "jdbc:sqlserver://h;databaseName={x;y};encrypt=true",
            ["selectMethod=cursor"],
        ),
        ("jdbc:mariadb://h/d?socketTimeout=1", "jdbc:mariadb://h/d?socketTimeout=1", []),
        ("jdbc:postgresql://h/d?ssl=true", "jdbc:postgresql://h/d?ssl=true", []),
    ],
)
def test_what_only_a_java_driver_knows_is_taken_out_of_a_url(url: str, kept: str, only: list[str]) -> None:
    assert split_java_only(url) == (kept, only)
