# Tests of the lexer: what it takes off a query changes nothing, whatever the query holds. Knows no database.
"""pipekit.drivers.sqltext."""

import contextlib
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipekit.drivers.sqltext import EVERYTHING, READINGS, Reading, strip_query, tokens
from pipekit.errors import Invalid
from tests.profiles import examples

WORDS = [
    "select",
    "1",
    "a",
    "x",
    "E'",
    "e'",
    "'",
    "''",
    '"',
    "[",
    "]",
    "`",
    "$$",
    "$a$",
    "$1",
    "$",
    "/*",
    "*/",
    "*",
    "/",
    "--",
    "-",
    ";",
    "\\",
    "\xa0",
    "é",
    "\x00",
]
SCRAPS = st.lists(st.sampled_from([*WORDS, " ", "\t", "\n", "\r"]), max_size=30).map("".join)


@pytest.mark.parametrize(
    ("sql", "stripped"),
    [
        ("select 1", "select 1"),
        ("  select 1 ;\n", "select 1"),
        ("select 1;;; -- done", "select 1"),
        ("select 1 -- why", "select 1"),
        ("select 1 /* why; */ ; /* and */", "select 1"),
        ("-- first\nselect 1", "-- first\nselect 1"),
        ("select ';' as a;", "select ';' as a"),
        ("select 'it''s; -- here'", "select 'it''s; -- here'"),
        ('select 1 as "a;--b" ;', 'select 1 as "a;--b"'),
        ("select 1 as [a;b]", "select 1 as [a;b]"),
        ("select 1 as [it's] -- so", "select 1 as [it's]"),
        ("select 1 as `a;b` ;", "select 1 as `a;b`"),
        (r"select E'a\';--b' ;", r"select E'a\';--b'"),
        (r"select 'C:\' ;", r"select 'C:\'"),
        ("select $$a;--$$ ;", "select $$a;--$$"),
        ("select $q$ $$ ; ' $q$ -- end", "select $q$ $$ ; ' $q$"),
        ("select a$b$c ;", "select a$b$c"),
        ("select '$$' ;", "select '$$'"),
        ("select x[1] ;", "select x[1]"),
        ("select 1 as [a]]--b] ;", "select 1 as [a]]--b]"),
        ("select 1 /* a /* b */ c */", "select 1 /* a /* b */ c */"),
        ("select 1 /* a /* b */ ; c */", "select 1"),
        ("select 1 --x\r, 2", "select 1 --x\r, 2"),
        ("select 1 as a\xa0", "select 1 as a\xa0"),
    ],
)
def test_a_query_loses_only_what_means_nothing(sql: str, stripped: str) -> None:
    assert strip_query(sql) == stripped


@pytest.mark.parametrize("sql", ["", "  ", ";", "-- nothing", "/* nothing */ ;"])
def test_a_query_without_words_is_refused_as_empty(sql: str) -> None:
    with pytest.raises(Invalid) as caught:
        strip_query(sql)
    assert caught.value.field == "query"


@pytest.mark.parametrize("sql", ["select 1; select 2", "select 1; -- x\nselect 2", "select 'a;'; delete from t"])
def test_a_second_statement_is_refused(sql: str) -> None:
    with pytest.raises(Invalid, match="single statement"):
        strip_query(sql)


@pytest.mark.parametrize("sql", ["select 'a", "select 1 /* a", 'select "a', "select 'a''", "select 1 /* /* */ 'x"])
def test_a_quote_or_comment_that_does_not_end_is_refused(sql: str) -> None:
    with pytest.raises(Invalid, match="does not end"):
        strip_query(sql)


@given(SCRAPS)
@settings(max_examples=examples(400))
@example("/*/**/;*/")
@example("E'\\'")
@example("$$;$$")
def test_tokens_cover_the_text_without_gaps(sql: str) -> None:
    for reading in (EVERYTHING, *READINGS):
        at = 0
        for _, start, end in tokens(sql, reading):
            assert start == at < end
            at = end
        assert at == len(sql)


@given(SCRAPS)
@settings(max_examples=examples(600))
def test_stripping_takes_only_blanks_comments_and_semicolons_off_the_end(sql: str) -> None:
    try:
        stripped = strip_query(sql)
    except Invalid:
        return
    assert strip_query(stripped) == stripped
    cut = sql.index(stripped) + len(stripped)
    for reading in READINGS:
        gone = {kind for kind, start, _ in tokens(sql, reading) if start >= cut}
        assert gone <= {"space", "comment", "semicolon"} or not _is_one_statement(sql, reading)


def _is_one_statement(sql: str, reading: Reading) -> bool:
    words = [kind for kind, _, _ in tokens(sql, reading) if kind not in ("space", "comment")]
    text = "".join("w" if kind != "semicolon" else ";" for kind in words).strip(";")
    return "open" not in words and ";" not in text


@given(st.text(alphabet="ab;'-/*\n \\\"[]`$", max_size=40))
@settings(max_examples=examples(400))
def test_a_quoted_text_is_kept_whatever_it_holds(text: str) -> None:
    literal = "'" + text.replace("'", "''") + "'"
    assert strip_query(f"select {literal} ; -- x").startswith(f"select {literal}")


@pytest.mark.parametrize("scrap", ["/*", "'", "$a$", '"', "[", "`", "E'\\", "--", "(", "$$ $a$ ", "/* '", ";", "''"])
def test_four_times_the_text_takes_about_four_times_as_long_to_read(scrap: str) -> None:
    """Processor time, and the best of some turns: what disturbs one of them must not decide."""

    def read(count: int) -> float:
        sql = "select " + scrap * count
        begun = time.process_time()
        with contextlib.suppress(Invalid):
            strip_query(sql)
        return time.process_time() - begun

    short, long = zip(*((read(10_000), read(40_000)) for _ in range(3)), strict=True)
    assert min(long) < 8 * min(short) + 0.05
