# Documents of Markdown as HTML, their links leading to each other's pages. Knows no request.
"""`list_documents`, `draw_document`, `find_picture`."""

import re
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_PACKAGE = Path(__file__).resolve().parents[2]
# A wheel has them inside of the package; in a clone they stand beside it.
FOLDER = next((place for place in (_PACKAGE / "docs", _PACKAGE.parent / "docs") if place.is_dir()), _PACKAGE / "docs")
FIRST = "index"
_DOCUMENT = re.compile(r"(?P<name>[a-z0-9-]+)\.md(?P<place>#.*)?")
# Marks of the tools that write figures into documents.
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_PICTURE = re.compile(r"img/(?P<name>[a-z0-9-]+\.png)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A document as HTML, its title apart, with the places (anchor, heading) of its chapters."""

    title: str
    body: Markup
    chapters: tuple[tuple[str, str], ...]


def list_documents() -> list[str]:
    """Their names, without `.md`."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))


def find_picture(name: str) -> Path | None:
    """A picture of the documents; None where there is none of that name."""
    return next((path for path in (FOLDER / "img").glob("*.png") if path.name == name), None)


@lru_cache(maxsize=64)
def draw_document(name: str) -> Document | None:
    """The document of this name; None where there is none."""
    if name not in list_documents():
        return None
    reader = _build_reader()
    state: MutableMapping[str, Any] = {}
    tokens = reader.parse(_COMMENT.sub("", (FOLDER / f"{name}.md").read_text(encoding="utf-8")), state)
    title, tokens = _take_title(tokens)
    chapters = _name_headings(tokens)
    for token in tokens:
        _lead_on(token)
    return Document(
        title=title or name, body=Markup(reader.renderer.render(tokens, reader.options, state)), chapters=chapters
    )


def _build_reader() -> "MarkdownIt":
    # Imported late: most servers are never asked for help.
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    for rule, html in (("table_open", '<div class="table-box"><table>\n'), ("table_close", "</table></div>\n")):
        reader.add_render_rule(rule, _say(html))
    return reader


def _say(html: str) -> Any:
    return lambda *_: html


def _take_title(tokens: "Sequence[Token]") -> "tuple[str, list[Token]]":
    """The first heading stands in the page's own head."""
    if len(tokens) > 2 and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        return tokens[1].content.replace("`", ""), list(tokens[3:])
    return "", list(tokens)


def _name_headings(tokens: "Sequence[Token]") -> tuple[tuple[str, str], ...]:
    chapters: list[tuple[str, str]] = []
    for token, inner in pairwise(tokens):
        if token.type != "heading_open":
            continue
        words = inner.content.replace("`", "")
        token.attrSet("id", slug(words))
        if token.tag == "h2":
            chapters.append((slug(words), words))
    return tuple(chapters)


def slug(heading: str) -> str:
    """A heading's anchor, as links in the documents have it: `Data was lost!` -> `data-was-lost`."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def _lead_on(token: "Token") -> None:
    """Leads links to other documents to their pages, and pictures to where they are."""
    for inner in token.children or ():
        if inner.type == "link_open":
            inner.attrSet("href", _find_address(str(inner.attrGet("href") or "")))
        elif inner.type == "image" and (found := _PICTURE.fullmatch(str(inner.attrGet("src")))):
            inner.attrSet("src", f"/help/img/{found['name']}")


def _find_address(href: str) -> str:
    found = _DOCUMENT.fullmatch(href)
    if found:
        return f"/help/{found['name']}{found['place'] or ''}"
    return f"/help/{FIRST}" if href.startswith("../") else href
