# Reads a tree against the table of fields: types, choices, unknown and missing names. Knows no meaning beyond that.
"""`read_object`: a tree -> plain values, each with its line."""

import difflib
import math
import re
from dataclasses import dataclass, field
from typing import Any

from pipekit.definitions.fields import OBJECTS
from pipekit.definitions.problems import Problems
from pipekit.definitions.tree import Broken, Mapping, Scalar, Sequence, Tree
from pipekit.drivers import DRIVERS
from pipekit.fields import Field, find_problem, list_fields
from pipekit.models import parse_key
from pipekit.models.listed import find_unlisted, join_listed
from pipekit.pairs import format_pairs, parse_pairs

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}\Z")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?\Z")
_NO_FIELD = object()


@dataclass(slots=True)
class Read:
    """An object that was read: its values by field, None where a field is absent or could not be read."""

    path: str
    line: int
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    def record(self, kind: type, name: str = "") -> dict[str, Any]:
        """What was read as the values of a record; `name` is the key the object stands under."""
        return {f.own: self._value(f, name) for f in list_fields(kind)}

    def _value(self, f: Field, name: str) -> Any:
        if not f.name:
            return name
        *outer, last = f.name.split(".")
        inner: Read | None = self[outer[0]] if outer else self
        value = inner[last] if inner else None
        if value is None:
            return "" if f.required and f.kind == "text" else f.default
        return int(value) if f.kind == "whole" else value

    def line_of(self, name: str) -> int:
        """The line of a field, of the object when the field is absent."""
        return self.lines.get(name, self.line)

    def path_of(self, name: str) -> str:
        """The dotted path of a field."""
        return f"{self.path}.{name}" if self.path else name


def read_object(tree: Tree, kind: str, path: str, line: int, problems: Problems) -> Read | None:
    """Reads one object of the table of fields; None, with a problem noted, when it is no mapping."""
    if isinstance(tree, Broken):
        return None
    if not isinstance(tree, Mapping):
        problems.add(tree.line, path, f"This must be a mapping with: {_names(OBJECTS[kind])}.")
        return None
    read = Read(path, line)
    table = {f.name: f for f in OBJECTS[kind]}
    for name, entry in tree.entries.items():
        if name not in table:
            problems.add(entry.line, read.path_of(name), _unknown(name, OBJECTS[kind]))
    for f in OBJECTS[kind]:
        _read_field(tree, f, read, problems)
    return read


def _names(fields: tuple[Field, ...]) -> str:
    return ", ".join(f.name for f in fields)


def _unknown(name: str, fields: tuple[Field, ...]) -> str:
    near = difflib.get_close_matches(name.lower(), [f.name for f in fields], n=1, cutoff=0.6)
    told = f"did you mean '{near[0]}'?" if near else f"allowed are {_names(fields)}."
    return f"There is no field '{name}' here; {told}"


def _read_field(tree: Mapping, f: Field, read: Read, problems: Problems) -> None:
    entry = tree.entries.get(f.name)
    if entry is None or _is_null(entry.value, f):
        if f.required:
            problems.add(entry.line if entry else read.line, read.path_of(f.name), "This field is missing.")
        read.values[f.name] = _absent(f)
        return
    read.lines[f.name] = entry.value.line
    value = _read_value(entry.value, f, read.path_of(f.name), problems)
    read.values[f.name] = _absent(f) if value is _NO_FIELD else value


def _is_null(value: Tree, f: Field) -> bool:
    """Whether a field is as good as absent; `null` written out may be one of the words that it takes."""
    return isinstance(value, Scalar) and value.tag == "null" and value.text not in f.choices


def _absent(f: Field) -> Any:
    if f.required:
        return None
    return {"map": {}, "list": []}.get(f.kind, f.default)


def _read_value(tree: Tree, f: Field, path: str, problems: Problems) -> Any:
    if isinstance(tree, Broken):
        return _NO_FIELD
    if f.kind == "object":
        return read_object(tree, f.of, path, tree.line, problems) or _NO_FIELD
    if f.kind == "map":
        return _read_map(tree, f, path, problems)
    if f.kind == "list":
        return _read_list(tree, f, path, problems)
    if f.kind == "names":
        return _read_names(tree, f, path, problems)
    if f.listed and not isinstance(tree, Scalar):
        return _read_listed(tree, f, path, problems)
    if f.kind == "pairs":
        return _read_pairs(tree, f, path, problems)
    if not isinstance(tree, Scalar):
        problems.add(tree.line, path, f"This must be {_KIND_NAMES[f.kind]}, not a {_shape(tree)}.")
        return _NO_FIELD
    return _READERS[f.kind](tree, f, path, problems)


def _shape(tree: Tree) -> str:
    return "list" if isinstance(tree, Sequence) else "mapping"


def _read_map(tree: Tree, f: Field, path: str, problems: Problems) -> Any:
    if not isinstance(tree, Mapping):
        problems.add(tree.line, path, "This must be a mapping of names.")
        return _NO_FIELD
    found: dict[str, Read] = {}
    for name, entry in tree.entries.items():
        inner = f"{path}.{name}"
        # One that cannot be read keeps its name, so that what refers to it is not wrong as well.
        found[name] = read_object(entry.value, f.of, inner, entry.line, problems) or _blank(f.of, inner, entry.line)
    return found


def _blank(kind: str, path: str, line: int) -> Read:
    return Read(path, line, {f.name: _absent(f) for f in OBJECTS[kind]})


def _read_list(tree: Tree, f: Field, path: str, problems: Problems) -> Any:
    if not isinstance(tree, Sequence):
        problems.add(tree.line, path, "This must be a list.")
        return _NO_FIELD
    found: list[Read] = []
    for index, item in enumerate(tree.items, 1):
        inner = f"{path}[{index}]"
        if f.short and isinstance(item, Scalar):
            text = _read_text(item, f, inner, problems)
            if text is not _NO_FIELD:
                found.append(Read(inner, item.line, {f.short: text}))
            continue
        read = read_object(item, f.of, inner, item.line, problems)
        if read is not None:
            found.append(read)
    return found


def _read_names(tree: Tree, f: Field, path: str, problems: Problems) -> Any:
    """A text of names with commas between, or a list of which each item is one name, as it is written."""
    if isinstance(tree, Scalar):
        text = _read_text(tree, f, path, problems)
        return text if text is _NO_FIELD else parse_key(text)
    if not isinstance(tree, Sequence):
        problems.add(tree.line, path, "This must be text, or a list of names.")
        return _NO_FIELD
    names = []
    for index, item in enumerate(tree.items, 1):
        if not isinstance(item, Scalar) or item.tag == "null" or not item.text.strip():
            problems.add(item.line, f"{path}[{index}]", "This must be a name.")
            return _NO_FIELD
        names.append(_read_text(item, f, f"{path}[{index}]", problems))
    return _NO_FIELD if _NO_FIELD in names else tuple(names)


def _read_listed(tree: Tree, f: Field, path: str, problems: Problems) -> Any:
    """A list, or a mapping of lists, as the text that it is kept as."""
    try:
        data = _read_plain(tree)
    except ValueError:
        problems.add(tree.line, path, "This must be a text, or a list of names or texts (see definitions.md).")
        return _NO_FIELD
    if isinstance(data, dict) != (f.listed == "values"):
        told = "a mapping of a column to its values" if f.listed == "values" else "a list"
        problem = f"This must be {told}."
    else:
        problem = find_unlisted(f.listed, data) or find_problem(f, join_listed(f.listed, data))
    if problem:
        problems.add(tree.line, path, problem)
        return _NO_FIELD
    return join_listed(f.listed, data)


def _read_plain(tree: Tree) -> Any:
    """Texts as they are written. Raises ValueError for NULL and what could not be read."""
    if isinstance(tree, Mapping):
        found = {name: _read_plain(entry.value) for name, entry in tree.entries.items()}
        return {name: [value] if isinstance(value, str) else value for name, value in found.items()}
    if isinstance(tree, Sequence):
        return [_read_plain(item) for item in tree.items]
    if isinstance(tree, Broken) or tree.tag == "null" or "\0" in tree.text or _has_surrogates(tree.text):
        raise ValueError
    return tree.text


def _read_pairs(tree: Tree, f: Field, path: str, problems: Problems) -> Any:
    """A mapping of names to values, or the one text that forms have."""
    if isinstance(tree, Scalar):
        text = _read_text(tree, f, path, problems)
    elif not isinstance(tree, Mapping):
        problems.add(tree.line, path, "This must be a mapping of names to values, or text: NAME = VALUE.")
        return _NO_FIELD
    else:
        texts = {name: entry.value for name, entry in tree.entries.items()}
        wrong = next((name for name, value in texts.items() if not isinstance(value, Scalar)), None)
        if wrong is not None:
            problems.add(tree.line, f"{path}.{wrong}", "This must be one value.")
            return _NO_FIELD
        text = format_pairs({name: value.text for name, value in texts.items() if isinstance(value, Scalar)})
    if text is _NO_FIELD:
        return _NO_FIELD
    if problem := find_problem(f, text):
        problems.add(tree.line, path, problem)
        return _NO_FIELD
    return format_pairs(parse_pairs(text))


def _read_text(tree: Scalar, f: Field, path: str, problems: Problems) -> Any:
    """Text is taken as it is written: `1900-01-01` and `007` need no quotes."""
    text = tree.text
    problem = ""
    if "\0" in text or (not text.isascii() and _has_surrogates(text)):
        problem = "This text holds a character that cannot be stored."
    elif f.required and not text.strip():
        problem = "This must not be empty."
    elif f.choices and text not in f.choices:
        near = difflib.get_close_matches(text.lower(), f.choices, n=1)
        told = f"did you mean '{near[0]}'?" if near else f"one of {', '.join(f.choices)}."
        problem = f"'{text}' is not allowed here; {told}"
    elif f.name == "driver" and f.pattern and not re.fullmatch(f.pattern, text):
        near = difflib.get_close_matches(text.lower(), DRIVERS, n=1, cutoff=0.5)
        told = f"; did you mean '{near[0]}'?" if near else f"; for example {', '.join(DRIVERS)}."
        problem = f"'{text[:40]}' is not the name of a kind: small letters, digits and _{told}"
    elif f.pattern and f.kind != "pairs" and not re.fullmatch(f.pattern, text):
        # The value is not repeated: somebody may have written the password itself.
        problem = "This must be the name of a secret, written $NAME; keep the value with `pipekit secrets set NAME`."
    # Of a list of names the record looks at each.
    problem = problem or (find_problem(f, text) if f.kind == "text" else "")
    if problem:
        problems.add(tree.line, path, problem)
        return _NO_FIELD
    return text


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)


def _read_flag(tree: Scalar, f: Field, path: str, problems: Problems) -> Any:
    if tree.tag != "bool":
        problems.add(tree.line, path, f"This must be true or false, not '{tree.text}'.")
        return _NO_FIELD
    return tree.text.lower() in ("true", "yes", "on", "y")


def _read_whole(tree: Scalar, f: Field, path: str, problems: Problems) -> Any:
    if tree.tag != "int" or not _WHOLE.match(tree.text):
        problems.add(tree.line, path, f"This must be a whole number, not '{tree.text}'.")
        return _NO_FIELD
    return _bounded(int(tree.text), tree, f, path, problems)


def _read_number(tree: Scalar, f: Field, path: str, problems: Problems) -> Any:
    if tree.tag not in ("int", "float", "str") or not _NUMBER.match(tree.text) or math.isinf(float(tree.text)):
        problems.add(tree.line, path, f"This must be a number, not '{tree.text}'.")
        return _NO_FIELD
    return _bounded(float(tree.text), tree, f, path, problems)


def _bounded(value: float, tree: Scalar, f: Field, path: str, problems: Problems) -> Any:
    message = find_problem(f, value)
    if message:
        problems.add(tree.line, path, message)
        return _NO_FIELD
    return value


_READERS = {"text": _read_text, "flag": _read_flag, "whole": _read_whole, "number": _read_number}
_KIND_NAMES = {"text": "text", "flag": "true or false", "whole": "a whole number", "number": "a number"}
