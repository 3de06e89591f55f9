# YAML text -> a tree that knows its lines. Knows nothing of what the fields mean.
"""Reading YAML without losing where things stand: no tags, no duplicate keys, no deep nesting."""

from dataclasses import dataclass, field
from typing import Any

from pipekit.definitions.problems import Problems

MAX_DEPTH = 12
MAX_CHARACTERS = 10_000_000

_PREFIX = "tag:yaml.org,2002:"
_SCALARS = frozenset(_PREFIX + name for name in ("str", "int", "float", "bool", "null", "timestamp", "value", "merge"))


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as it is written. `tag` is YAML's reading of it: str, int, float, bool, null, timestamp."""

    line: int
    text: str
    tag: str


@dataclass(slots=True)
class Sequence:
    """A list."""

    line: int
    items: list["Tree"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping: the line of the key and the value."""

    line: int
    value: "Tree"


@dataclass(slots=True)
class Mapping:
    """Keys with values."""

    line: int
    entries: dict[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broken:
    """A value that could not be read; its problem is noted already."""

    line: int


Tree = Scalar | Sequence | Mapping | Broken


def read_tree(text: str, problems: Problems) -> Tree | None:
    """The document of a YAML text; None, with a problem noted, when it cannot be read or is empty."""
    if len(text) > MAX_CHARACTERS:
        problems.add(0, "", f"The file is longer than {MAX_CHARACTERS:,} characters.")
        return None
    root = _compose(text.removeprefix("\ufeff"), problems)
    if root is None:
        if not problems.found:
            problems.add(1, "", "The file is empty.")
        return None
    return _Builder(problems).build(root, "", 0)


def _compose(text: str, problems: Problems) -> Any:
    import yaml

    loader_type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader = None
    try:
        loader = loader_type(text)
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = ", ".join(part for part in (error.context, error.problem) if part)
        problems.add(mark.line + 1 if mark else 0, "", f"This is not YAML: {told}.")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, max(error.position, 0)) + 1
        problems.add(line, "", f"This is not YAML: {error.reason}.")
    except RecursionError:
        problems.add(0, "", "The file is nested too deeply.")
    finally:
        if loader is not None:
            loader.dispose()
    return None


class _Builder:
    """Turns PyYAML's nodes into the tree; a node that is used again through an alias is built once."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._built: dict[int, Tree] = {}

    def build(self, node: Any, path: str, depth: int) -> Tree:
        if id(node) not in self._built:
            self._built[id(node)] = Broken(node.start_mark.line + 1)  # an alias inside its own anchor finds this
            self._built[id(node)] = self._build(node, path, depth)
        return self._built[id(node)]

    def _build(self, node: Any, path: str, depth: int) -> Tree:
        line = node.start_mark.line + 1
        if depth > MAX_DEPTH:
            return self._broken(line, path, "This is nested too deeply.")
        if node.id == "scalar":
            return self._scalar(node, path, line)
        if node.tag not in (_PREFIX + "map", _PREFIX + "seq"):
            return self._broken(line, path, f"The tag {node.tag} is not allowed.")
        if node.id == "sequence":
            return Sequence(line, [self.build(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(node.value, 1)])
        return self._mapping(node, path, depth, line)

    def _broken(self, line: int, path: str, message: str) -> Broken:
        self._problems.add(line, path, message)
        return Broken(line)

    def _scalar(self, node: Any, path: str, line: int) -> Tree:
        if node.tag not in _SCALARS:
            return self._broken(line, path, f"The tag {node.tag} is not allowed.")
        tag = node.tag.removeprefix(_PREFIX)
        return Scalar(line, node.value, "str" if tag in ("value", "merge") else tag)

    def _mapping(self, node: Any, path: str, depth: int, line: int) -> Mapping:
        mapping = Mapping(line)
        merged: dict[str, Entry] = {}
        for key, value in node.value:
            if key.tag == _PREFIX + "merge":
                self._merge(value, path, depth, merged)
            else:
                self._entry(mapping, key, value, path, depth)
        for name, entry in merged.items():
            mapping.entries.setdefault(name, entry)
        return mapping

    def _entry(self, mapping: Mapping, key: Any, value: Any, path: str, depth: int) -> None:
        line = key.start_mark.line + 1
        if key.id != "scalar":
            self._problems.add(line, path, "A key must be a plain name.")
            return
        inner = f"{path}.{key.value}" if path else key.value
        if key.value in mapping.entries:
            first = mapping.entries[key.value].line
            self._problems.add(line, inner, f"This key stands twice; it was first given in line {first}.")
            return
        mapping.entries[key.value] = Entry(line, self.build(value, inner, depth + 1))

    def _merge(self, node: Any, path: str, depth: int, merged: dict[str, Entry]) -> None:
        for source in node.value if node.id == "sequence" else [node]:
            built = self.build(source, path, depth + 1)
            if not isinstance(built, Mapping):
                self._problems.add(node.start_mark.line + 1, path, "'<<' needs a mapping, or a list of mappings.")
                return
            for name, entry in built.entries.items():
                merged.setdefault(name, entry)
