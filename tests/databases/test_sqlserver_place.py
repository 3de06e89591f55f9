# Tests of what the tests of SQL Server send to a real server to make their tables, where there is none to try it on.
"""tests/databases/sqlservers."""

import pytest

from pipekit.drivers.sqltext import READINGS, tokens
from tests.databases.sqlservers import build_create, spell


def test_a_table_may_have_any_name_and_columns_of_any_name() -> None:
    sql = build_create("a]b", [("c]d", "int"), ("e'f", "nvarchar(9)")])
    assert sql == "CREATE TABLE [dbo].[a]]b] ([c]]d] int, [e'f] nvarchar(9))"


@pytest.mark.parametrize(
    ("value", "sql"),
    [
        ("a\0b", "N'a' + NCHAR(0) + N'b'"),
        ("it's\0", "N'it''s' + NCHAR(0) + N''"),
        (b"\0\xff", "0x00ff"),
        (None, "NULL"),
        (True, "1"),
    ],
)
def test_no_value_puts_a_nul_into_a_statement(value: object, sql: str) -> None:
    assert spell(value) == sql
    assert "open" not in {kind for kind, _, _ in tokens(sql, READINGS[2])}
