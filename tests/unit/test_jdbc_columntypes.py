# Tests of how a JDBC driver's words for a column are read and spelled. Knows no connection.
"""pipekit.drivers.jdbc.columntypes and asking."""

import pytest

from pipekit.drivers.jdbc.asking import WORDS, build_ask, find_ask
from pipekit.drivers.jdbc.columntypes import classify, spell_type
from pipekit.drivers.types import is_bytes_type
from pipekit.errors import Invalid


@pytest.mark.parametrize(
    ("code", "name", "size", "digits", "text", "kind", "layout"),
    [
        (4, "int4", 10, 0, "INTEGER", "INT", "int32"),
        (-6, "TINYINT", 3, 0, "TINYINT", "INT", "int16"),
        (3, "DECIMAL", 12, 2, "DECIMAL(12,2)", "DECIMAL", "decimal"),
        (2, "numeric", 0, 0, "DECIMAL", "DECIMAL", "text"),
        (2, "NUMBER", 0, -127, "DECIMAL", "DECIMAL", "text"),
        (2, "NUMERIC", 60, 2, "DECIMAL(60,2)", "DECIMAL", "text"),
        (3, "DECFLOAT", 34, 0, "DECFLOAT", "DECIMAL", "text"),
        (8, "money", 0, 0, "money", "TEXT", "text"),
        (1, "CHAR", 10, 0, "CHAR(10)", "TEXT", "text"),
        (12, "text", 2**31 - 1, 0, "VARCHAR", "TEXT", "text"),
        (-1, "LONG VARCHAR", 32700, 0, "VARCHAR", "TEXT", "text"),
        (-2, "CHAR () FOR BIT DATA", 4, 0, "BINARY(4)", "BYTES", "bytes"),
        (2004, "BLOB", 2**31 - 1, 0, "BLOB", "BLOB", "bytes"),
        (-7, "bool", 1, 0, "BOOLEAN", "BOOL", "bool"),
        (-7, "bit", 3, 0, "bit", "TEXT", "text"),
        (93, "TIMESTAMP", 26, 6, "TIMESTAMP(6)", "TIMESTAMP", "timestamp"),
        (93, "TIMESTAMP", 29, 9, "TIMESTAMP(9)", "TIMESTAMP", "text"),
        (93, "timestamptz", 35, 6, "TIMESTAMP(6) WITH TIME ZONE", "TIMESTAMPTZ", "text"),
        (-101, "TIMESTAMP(6) WITH TIME ZONE", 0, 6, "TIMESTAMP(6) WITH TIME ZONE", "TIMESTAMPTZ", "text"),
        (92, "timetz", 21, 6, "TIME(6) WITH TIME ZONE", "TIMETZ", "text"),
        (92, "TIME", 8, 0, "TIME", "TIME", "text"),
        (-2, "UUID", 16, 0, "UUID", "TEXT", "text"),
        (1111, "jsonb", 0, 0, "jsonb", "TEXT", "text"),
        (2009, "xml", 0, 0, "XML", "TEXT", "text"),
        (-8, "ROWID", 0, 0, "ROWID", "TEXT", "text"),
    ],
)
def test_a_type_is_spelled_by_its_code_and_by_a_name_that_says_more(
    code: int, name: str, size: int, digits: int, text: str, kind: str, layout: str
) -> None:
    found = classify(code, name, size, digits)
    assert (found.text, found.kind, found.layout, found.refused) == (text, kind, layout, "")
    assert spell_type(code, name, size, digits) == text


def test_unsigned_integers_become_the_next_wider_type() -> None:
    spelled = [spell_type(code, "x unsigned", 10, 0, signed=False) for code in (-6, 5, 4, -5)]
    assert spelled == ["TINYINT", "INTEGER", "BIGINT", "DECIMAL(20,0)"]


@pytest.mark.parametrize(("code", "what"), [(2003, "array"), (2002, "structure"), (2006, "reference"), (2000, "Java")])
def test_what_cannot_travel_is_refused_with_a_reason(code: int, what: str) -> None:
    assert what in classify(code, "_int4", 0, 0).refused


def test_types_of_bytes_are_known_here_and_in_postgresql() -> None:
    assert all(map(is_bytes_type, ["bytea", "BLOB", "BINARY(4)", "VARBINARY", "VARBINARY(9)"]))
    assert not any(map(is_bytes_type, ["VARCHAR(4)", "CLOB", "text", "", "BINARY_FLOAT"]))


def test_a_question_reads_back_as_it_was_built() -> None:
    arguments = ["a]}", None, 'x"y\n']
    assert [find_ask(build_ask(word, *arguments)) for word in WORDS] == [(word, arguments) for word in WORDS]
    assert find_ask(" {pipekit schemas} ") == ("schemas", [])
    assert find_ask("SELECT '{pipekit schemas}'") is None


@pytest.mark.parametrize("sql", ["{pipekit nothing}", "{pipekit schemas", "{pipekit }", '{pipekit tables "x"}'])
def test_a_malformed_question_is_refused(sql: str) -> None:
    with pytest.raises(Invalid):
        find_ask(sql)
