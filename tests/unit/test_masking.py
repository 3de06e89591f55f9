# Masking: values are found in every form, and nothing else is taken for one. Knows no file.
"""`Masker`."""

import base64
import html
import json
import shlex
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape
from psycopg.conninfo import make_conninfo

from pipekit.masking import Masker
from tests.profiles import examples

VALUE = 's3cr3t/öf the+house\'s "own"\\{x};y}z'
LIBPQ = make_conninfo("", password=VALUE).removeprefix("password=")
ODBC = VALUE.replace("}", "}}")
# As drivers, and what stands around them, write it.
DRIVERS = [
    LIBPQ,
    json.dumps(LIBPQ),
    quote(LIBPQ),
    "PWD={" + ODBC + "}",
    json.dumps({"PWD": "{" + ODBC + "}"}),
    "password=" + VALUE.replace("\\", "\\\\").replace(" ", "\\ "),
    quote_plus(VALUE, safe="*"),
    quote(VALUE, safe="!*'()"),
    quote(quote(VALUE, safe=""), safe=""),
    shlex.quote(VALUE),
    "'" + VALUE.replace("'", "'\\''") + "'",
    '"' + VALUE.replace("\\", "\\\\").replace('"', '\\"') + '"',
    html.escape(VALUE),
    str(escape(VALUE)),
    str(escape(json.dumps(VALUE))),
    repr(VALUE),
    repr(f"password='{VALUE}'"),
    f"E'{VALUE.replace(chr(92), chr(92) * 2).replace(chr(39), chr(92) + chr(39))}'",
    '"' + VALUE.replace('"', '""') + '"',
]


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        quote(VALUE, safe=""),
        quote(VALUE),
        quote_plus(VALUE),
        quote(VALUE, safe="").lower(),
        json.dumps(VALUE),
        json.dumps(VALUE, ensure_ascii=False),
        VALUE.replace("'", "''"),
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode().rstrip("="),
        base64.b64encode(f"etl:{VALUE}".encode()).decode(),
        base64.b64encode(f"user1:{VALUE}".encode()).decode(),
        base64.b64encode(f"me:{VALUE} and more".encode()).decode(),
        *DRIVERS,
    ],
)
def test_a_value_is_masked_in_every_form(form: str) -> None:
    masked = Masker([VALUE.lower() if form.islower() and "%" in form else VALUE]).mask(f"before {form} after")
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert "****" in masked
    assert len(masked) < len("before  after") + 4 + 26
    assert "s3cr3t" not in masked


def test_the_longest_value_is_masked_first() -> None:
    masker = Masker(["abcd", "abcdefgh", "abc"])
    assert masker.mask("abcdefgh abcdef abcd abc xabc") == "**** ****ef **** **** xabc"


def test_short_values_are_masked_as_whole_words_only() -> None:
    assert Masker(["a", "42"]).mask("a cat, a 42 and 142, (a)") == "**** cat, **** **** and 142, (****)"


def test_blank_values_mask_nothing() -> None:
    assert Masker(["", " ", "      "]).mask("a      b  c") == "a      b  c"
    assert Masker().mask("text") == "text"


def test_characters_with_a_meaning_in_patterns_are_plain() -> None:
    assert Masker(["a.*b(", "[x]^$|"]).mask("a.*b( axxb( [x]^$|") == "**** axxb( ****"


def test_each_long_line_of_a_value_is_masked() -> None:
    assert (
        Masker(["first line\nok\nsecond line"]).mask("1: first line\n2: ok\n3: second line")
        == "1: ****\n2: ok\n3: ****"
    )


@settings(max_examples=examples(100))
@given(
    values=st.sets(st.text("abcde*", min_size=4, max_size=8), min_size=1, max_size=5),
    text=st.text("abcde* ", max_size=60),
)
def test_no_known_value_is_left_in_a_text(values: set[str], text: str) -> None:
    kept = Masker(values).mask(text).split("****")
    assert [value for value in values for part in kept if value in part] == []
