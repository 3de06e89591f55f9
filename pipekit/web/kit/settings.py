# What messages call a module's settings, in the words of its form, with a way there. Knows no request and no record.
"""`name_settings`: messages name settings as definition files do; a page names and links the field of its form."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from markupsafe import Markup, escape

from pipekit.fields import Field, list_fields
from pipekit.models import Column, Guards, ModuleFields

# Of the form: fields that belong together, by the beginning of their names.
SECTIONS = {"deletes": "Rows that are gone", "history": "History", "expect": "What is expected of rows"}
# `load`, `load: swap`, `guards: {usual: warn}`, `guards: {shrink: ...}`.
_SETTING = re.compile(r"`(?P<name>\w+)(?:: (?:\{(?P<inner>\w+): (?P<held>[^}`]*)\}|(?P<value>[^`{]*)))?`")
_CODE = re.compile(r"`([^`\n]{1,200})`")
_POSITIONS = {"true": "on", "false": "off", "null": "empty", "...": ""}
_LINK = Markup('<a class="setting" href="{}">{}</a>')
_TOLD = Markup('<strong class="setting">{}</strong>')


def name_settings(text: str, module_id: int | None = None, *, ours: bool = True) -> Markup:
    """A message as HTML, its settings by their labels; each leads to its field in the form of the module.

    Without `module_id`, where there is no such form or the person may not use it, they are named alone. What else
    stands in backticks is shown as code. A text that is not `ours` has words of a database, some of which put names
    between backticks: there a setting counts with its value only.
    """
    parts: list[str | Markup] = []
    done = 0
    for found in _SETTING.finditer(text):
        setting = _name(found, module_id) if ours or ":" in found[0] else None
        if setting is not None:
            parts += [_show_code(text[done : found.start()]), setting]
            done = found.end()
    return Markup().join([*parts, _show_code(text[done:])])


def _show_code(text: str) -> Markup:
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


def _name(found: re.Match[str], module_id: int | None) -> Markup | None:
    name, inner = found["name"], found["inner"]
    field = _list_settings().get(f"{name}.{inner}" if inner else name)
    if field is None:
        return None
    value = found["held"] if inner else found["value"]
    position = _POSITIONS.get(value or "", value or "")
    words = f"{field.label}: {position}" if position else field.label
    if module_id is None:
        return _TOLD.format(words)
    return _LINK.format(f"/modules/{module_id}/edit#f-{field.own}", words)


@cache
def _list_settings() -> dict[str, Field]:
    """Every field with a label, and every section by its first one, by what files call them."""
    fields = {name: f for name, f in _iterate_settings() if f.label}
    firsts: dict[str, Field] = {}
    for name, f in fields.items():
        section = name.partition(".")[0]
        firsts.setdefault(section, replace(f, label=SECTIONS.get(section, f.label)))
    return {**firsts, **fields}


def _iterate_settings() -> Iterator[tuple[str, Field]]:
    yield from ((f.name, f) for f in list_fields(ModuleFields))
    yield from ((f"guards.{f.name}", f) for f in list_fields(Guards))
    # These are all in one table of the form.
    yield from ((f.name, replace(f, own="columns")) for f in list_fields(Column))
