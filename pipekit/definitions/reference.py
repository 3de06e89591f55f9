# The fields of a definition file as a page's tables. Knows the table of fields only.
"""`build_field_tables`: the last part of docs/definitions.md, kept current by a test."""

import sys

from pipekit.definitions.fields import OBJECTS
from pipekit.fields import Field

_TITLES = {
    "file": "The file",
    "member": "A module of a group",
    "guards": "guards",
    "history": "history",
    "deleting": "deleting",
    "expect": "expect",
    "timeouts": "timeouts",
    "undo": "undo",
}


def build_field_tables() -> str:
    """A table for each object: field, what it holds, default, meaning."""
    return "\n".join(_table(kind, fields) for kind, fields in OBJECTS.items())


def _table(kind: str, fields: tuple[Field, ...]) -> str:
    title = _TITLES.get(kind, f"A {kind}")
    rows = "\n".join(f"| `{f.name}` | {_holds(f)} | {_default(f)} | {f.doc} |" for f in fields)
    return f"### {title}\n\n| field | holds | default | |\n|---|---|---|---|\n{rows}\n"


def _holds(f: Field) -> str:
    if f.choices:
        return ", ".join(f"`{choice}`" for choice in f.choices)
    if f.kind == "map":
        return f"name: {f.of}"
    if f.kind == "list":
        return f"list of {f.short} or {f.of}" if f.short and f.short != f.of else f"list of {f.of}"
    if f.listed:
        return {"values": "text, or column: list of values", "texts": "text, or list of texts"}.get(
            f.listed, f"text, or list of {f.listed}"
        )
    if f.kind == "pairs":
        return "name: number" if f.high else "name: value"
    words = {"flag": "true or false", "whole": "whole number", "object": f.of, "names": "text, or list of names"}
    return words.get(f.kind, f.kind)


def _default(f: Field) -> str:
    if f.required:
        return "required"
    if isinstance(f.default, bool):
        return "true" if f.default else "false"
    return f"`{f.default}`" if f.default not in (None, "") else ""


if __name__ == "__main__":
    sys.stdout.write(build_field_tables())
