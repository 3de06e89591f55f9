# Tests of the Java reader's own writing of text and numbers, at the edges of its pieces. H2.
"""pipekit/drivers/jdbc/java/pipekit/Bytes.java, by what comes out of it."""

import itertools

import pytest

from pipekit.drivers.jdbc.session import JdbcSession
from pipekit.errors import Inexact
from tests.databases.jdbc import Open, make_embedded, read, take

_NAMES = (f"text{number}" for number in itertools.count(1))
PIECE = 4096
ODD = ("😀", "é", "✓", "\t", "\n", "\r", "\\")


@pytest.fixture
def h2(open_jdbc: Open) -> JdbcSession:
    return open_jdbc(make_embedded("h2", next(_NAMES)))


def test_a_character_across_the_end_of_a_piece_stays_whole(h2: JdbcSession) -> None:
    texts = ["x" * (PIECE - before) + odd + "y" * 5 for odd in ODD for before in (0, 1, 2)]
    texts += [odd * (2 * PIECE + 1) for odd in ODD]
    sql = " UNION ALL ".join(f"SELECT {place} AS n, '{text}' AS t" for place, text in enumerate(texts))
    rows = sorted(read(h2, sql), key=lambda row: int(row[0] or 0))
    assert [row[1] for row in rows] == texts
    (batch,) = take(h2, f"{sql} ORDER BY n", "arrow")
    assert batch.column(1).to_pylist() == texts


def test_half_a_character_is_refused_wherever_it_stands(h2: JdbcSession) -> None:
    for before in (0, PIECE - 1):
        # Java makes it of a surrogate's number; no text of Python's could be sent for it.
        sql = f"SELECT REPEAT('x', {before}) || CHAR(55357) || 'y' AS t"
        with pytest.raises(Inexact, match="half a character"):
            take(h2, sql, "copy-text")


def test_whole_numbers_of_every_length_are_written_digit_by_digit(h2: JdbcSession) -> None:
    edges = [2**31 - 1, 2**31, 2**31 + 1, 2**63 - 1, *(10**places + more for places in range(19) for more in (-1, 0))]
    numbers = sorted({sign * edge for edge in edges for sign in (1, -1)} | {-(2**63)})
    # The smallest is no literal: its sign would come after its digits.
    values = ", ".join(f"({number})" for number in numbers[1:])
    sql = f"SELECT CAST(C1 AS BIGINT) FROM (VALUES (-9223372036854775807 - 1), {values})"
    text = b"".join(take(h2, sql, "copy-text")).decode().splitlines()
    assert text == [str(number) for number in numbers]
