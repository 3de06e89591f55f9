# Known secret values replaced in text, however they are spelled there. Knows no file and no database.
"""`Masker`."""

import base64
import html
import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote, quote_plus

from pipekit.cutting import cut

MASK = "****"
# Shorter values are masked as whole words only, or hardly a word would be left of a log.
SHORTEST_ANYWHERE = 4
SHORTEST_PART = 8


class Masker:
    """Replaces known secret values in text, also as drivers, shells, documents, pages and addresses spell them."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = set(values)
        self._compiled: tuple[int, re.Pattern[str] | None] = (0, None)

    def add(self, value: str) -> None:
        """From now on this value is masked too, by everyone who holds this masker."""
        self._values.add(value)

    def mask(self, text: str) -> str:
        """The text with every known value replaced by `****`."""
        count, pattern = self._compiled
        if count != len(self._values):
            # Values are only ever added, so their number tells whether the pattern is up to date.
            values = frozenset(self._values)
            pattern = _build_pattern(values)
            self._compiled = (len(values), pattern)
        return pattern.sub(MASK, text) if pattern else text

    def tell(self, text: str) -> str:
        """What went wrong, as it is kept or shown: masked, then cut."""
        return cut(self.mask(text))


def _build_pattern(values: Iterable[str]) -> re.Pattern[str] | None:
    """One expression for all values, longer forms first. None when there is nothing to mask."""
    known = {value for value in values if value.strip()}
    anywhere = {form for value in known if len(value) >= SHORTEST_ANYWHERE for form in _forms(value)}
    words = sorted((re.escape(v) for v in known if len(v) < SHORTEST_ANYWHERE), key=len, reverse=True)
    # Grouped by their first two characters, so that most places of a text are passed after one look.
    heads: dict[str, list[str]] = {}
    for form in sorted(anywhere, key=len, reverse=True):
        heads.setdefault(form[:2], []).append(re.escape(form[2:]))
    branches = [f"{re.escape(head)}(?:{'|'.join(rests)})" for head, rests in heads.items()]
    if words:
        branches.append(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)")
    return re.compile("|".join(branches)) if branches else None


def _forms(value: str) -> set[str]:
    """A value as it may stand in text."""
    once = {spell(value) for spell in _SPELLINGS}
    twice = {around(form) for form in once for around in _AROUND}
    # A log is written line by line.
    lines = {line for line in value.splitlines() if len(line.strip()) >= SHORTEST_PART}
    return {form for form in once | twice | lines if form} | set(_base64_forms(_encode(value)))


def _encode(value: str) -> bytes:
    return value.encode(errors="surrogatepass")


def _in_json(value: str) -> str:
    return json.dumps(value)[1:-1]


def _in_page(value: str) -> str:
    """As Pipekit's own pages have it."""
    return html.escape(value, quote=False).replace('"', "&#34;").replace("'", "&#39;")


def _percent(safe: str) -> Callable[[str], str]:
    return lambda value: quote(_encode(value), safe=safe)


def _escaping(characters: str, mark: str = "\\") -> Callable[[str], str]:
    """Puts a mark before each of these characters."""
    found = re.compile(f"[{re.escape(characters)}]")
    return lambda value: found.sub(lambda c: mark + c[0], value)


def _doubling(character: str) -> Callable[[str], str]:
    return lambda value: value.replace(character, character * 2)


def _lower_percents(spell: Callable[[str], str]) -> Callable[[str], str]:
    return lambda value: re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), spell(value))


_URLS = (
    _percent(""),
    _percent("/"),
    _percent("!*'()"),  # as scripts in browsers do
    lambda value: quote_plus(_encode(value)),
    lambda value: quote_plus(_encode(value), safe="*").replace("~", "%7E"),  # as Java does
)
_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    *(_doubling(character) for character in "'\"}`]"),  # SQL's literals and names, and braces of ODBC and of JDBC
    _escaping("'\\"),  # libpq's connection strings, PostgreSQL's E'...'
    _escaping('"\\'),
    _escaping("'\"\\"),
    _escaping('"\\$`'),  # a shell's double quotes
    _escaping('"\\$`!'),
    _escaping("\\:=#! "),  # a file of Java's properties
    _escaping("\\:=#!"),
    re.escape,
    lambda value: re.sub(r"[^A-Za-z0-9_@%+=:,./-]", lambda c: "\\" + c[0], value),  # a shell without quotes
    lambda value: shlex.quote(value).removeprefix("'").removesuffix("'"),
    lambda value: value.replace("'", "'\\''"),
    lambda value: repr(value)[1:-1],
    lambda value: ascii(value)[1:-1],
    _in_json,
    lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    lambda value: _in_json(value).replace("/", "\\/"),
    lambda value: json.dumps(value, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    lambda value: re.sub("[<>&']", lambda c: f"\\u{ord(c[0]):04x}", _in_json(value)),  # JSON in a page
    lambda value: html.escape(value, quote=False),
    html.escape,
    _in_page,
    lambda value: html.escape(value, quote=False).replace('"', "&quot;").replace("'", "&apos;"),
    lambda value: html.escape(value, quote=False).replace('"', "&quot;").replace("'", "&#39;"),
    *_URLS,
    *(_lower_percents(spell) for spell in _URLS),
)
# What one of these is then put into: a message in a document, a page, a literal, an address.
_AROUND: tuple[Callable[[str], str], ...] = (
    _in_json,
    html.escape,
    _in_page,
    _doubling("'"),
    _escaping("'\\"),
    _percent(""),
    _percent("/"),
)


def _base64_forms(raw: bytes) -> Iterator[str]:
    """The value's base64, and what is the same wherever it stands inside longer data (`user:password`)."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        yield encode(raw).decode().rstrip("=")
        for lead in range(3):
            core = encode(bytes(lead) + raw).decode()[-(-lead * 8 // 6) : (lead + len(raw)) * 8 // 6]
            if len(core) >= SHORTEST_PART:
                yield core
