# Tests of logins within SQL Server's URLs, whose values may stand in braces. Text only.
"""pipekit.drivers.urls.split_login, for `jdbc:sqlserver`."""

import pytest

from pipekit.drivers.urls import Login, split_login


@pytest.mark.parametrize(
    ("properties", "kept", "password"),
    [
        ("databaseName=dw;user=sa;password={x;y=}}z};encrypt=true", "databaseName=dw;encrypt=true", "x;y=}z"),
        ("user=sa;password=plain;databaseName={my;d}}b}", "databaseName={my;d}}b}", "plain"),
        ("databaseName=dw;user=sa;password={open", "databaseName=dw", "{open"),
        ("databaseName=dw;user=sa;password= {a} ;", "databaseName=dw", "a"),
        ("databaseName=dw;user=sa;password=a{b;encrypt=true", "databaseName=dw;encrypt=true", "a{b"),
    ],
)
def test_no_piece_of_a_password_in_braces_stays_in_the_url(properties: str, kept: str, password: str) -> None:
    expected = Login(jdbc_url=f"jdbc:sqlserver://db:1433;{kept}", username="sa", password=password)
    assert split_login(f"jdbc:sqlserver://db:1433;{properties}") == expected
