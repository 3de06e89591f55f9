# Records -> a definition file's text. Knows the fields and YAML; not where the records come from.
"""`build_yaml`: the same definitions always give the same text, and parsing it gives the same definitions."""

from typing import Any

from pipekit.definitions.fields import OBJECTS
from pipekit.definitions.records import ConnectionDef, Definitions, GroupDef, ModuleDef, ScheduleDef
from pipekit.fields import Field, pick
from pipekit.models import GroupFields, format_key
from pipekit.models.listed import unfold_listed
from pipekit.pairs import parse_pairs

_INNER = ("object", "list", "map")


def build_yaml(definitions: Definitions) -> str:
    """The definition file of these definitions; fields that have their default value are left out."""
    return dump_yaml(build_data(definitions))


def build_data(definitions: Definitions) -> dict[str, dict[str, Any]]:
    """The same as plain data, in the order in which it is written."""
    return {
        "connections": {name: _connection(item) for name, item in _sorted(definitions.connections)},
        "modules": {name: _module(item) for name, item in _sorted(definitions.modules)},
        "groups": {name: _group(item) for name, item in _sorted(definitions.groups)},
    }


def dump_yaml(data: Any) -> str:
    """Plain data as YAML; text of several lines as block scalars."""
    import yaml

    text: str = yaml.dump(data, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=2**20)
    return text


def _sorted(items: Any) -> list[tuple[str, Any]]:
    return sorted(items.items(), key=lambda pair: (pair[0].lower(), pair[0]))


def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Block scalars for text of several lines; no aliases."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def represent_text(dumper: Any, text: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=_style(text))

    Dumper.add_representer(str, represent_text)
    return Dumper


def _style(text: str) -> str | None:
    """How a text is written: as a block, quoted where the plain form might be read differently, else as it is."""
    if "\n" in text and is_plain_block(text):
        return "|"
    if any(not c.isprintable() and c != "\n" for c in text):
        return '"'
    return None


def is_plain_block(text: str) -> bool:
    """Whether a text of several lines reads back exactly from a block scalar, and is fit to be looked at as one."""
    lines = text.split("\n")
    if not lines[0] or lines[0] != lines[0].strip() or text.endswith("\n\n"):
        return False
    return all(line == line.rstrip() and line.isprintable() for line in lines)


def _without_defaults(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    written = {}
    for f in OBJECTS[kind]:
        value = values.get(f.name, f.default)
        empty = value is None or ((f.listed or f.kind in ("map", "list", "object")) and not value)
        if f.required or not (empty or value == f.default):
            written[f.name] = value
    return written


def _connection(item: ConnectionDef) -> dict[str, Any]:
    return _plain("connection", item)


def _module(item: ModuleDef) -> dict[str, Any]:
    values = {f.name: _write(f, getattr(item, f.own or f.name)) for f in OBJECTS["module"] if f.kind not in _INNER}
    values |= {
        "key": _key(item.merge_key),
        "watermarks": {w.name: _plain("watermark", w) for w in sorted(item.watermarks, key=lambda w: w.name)},
        "hooks": [_plain("hook", hook) for hook in item.hooks],
        "columns": [_plain("column", column) for column in item.columns],
        "guards": _plain("guards", item.guards),
        "history": _plain("history", item),
        "deleting": _plain("deleting", item),
        "expect": _plain("expect", item),
        "timeouts": _plain("timeouts", item),
        "undo": _plain("undo", item),
    }
    return _without_defaults("module", values)


def _key(names: tuple[str, ...]) -> str | list[str] | None:
    """A plain text, or a list where a name would have to be quoted in it."""
    text = ", ".join(names)
    return (text if format_key(names) == text else list(names)) or None


def _number(value: float) -> float | int:
    return int(value) if value == int(value) and abs(value) < 1e15 else value


def _plain(kind: str, record: Any) -> dict[str, Any]:
    values = {f.name: _write(f, getattr(record, f.own or f.name)) for f in OBJECTS[kind]}
    return _without_defaults(kind, values)


def _write(f: Field, value: Any) -> Any:
    if f.kind == "pairs":
        return {name: int(told) if f.high else told for name, told in parse_pairs(value).items()} or None
    if f.listed:
        return unfold_listed(f.listed, value)
    return _number(value) if isinstance(value, float) else value


def _group(item: GroupDef) -> dict[str, Any]:
    listed = [(order, name, False) for name, order in item.members.items()]
    listed += [(order, name, True) for name, order in item.verified.items()]
    members = sorted(listed, key=lambda member: (member[0], member[2], member[1].lower(), member[1]))
    plain = [order for order, _, _ in members] == list(range(1, len(members) + 1))
    modules = [_member(name, None if plain else order, verify=verify) for order, name, verify in members]
    values = pick(item, GroupFields)
    schedules = [_schedule(cron, schedule) for cron, schedule in sorted(item.schedules.items())]
    return _without_defaults("group", {**values, "modules": modules, "schedules": schedules})


def _member(name: str, order: int | None, *, verify: bool) -> Any:
    """A plain text when nothing but the name needs to be said."""
    more = ({} if order is None else {"order": order}) | ({"verify": True} if verify else {})
    return {"module": name, **more} if more else name


def _schedule(cron: str, item: ScheduleDef) -> Any:
    """A plain text when nothing but the expression needs to be said."""
    written = _without_defaults("schedule", {"cron": cron, **pick(item, ScheduleDef)})
    return cron if len(written) == 1 else written
