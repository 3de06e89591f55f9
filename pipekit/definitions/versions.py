# Versions of a module: its definition from each change on, compared line by line and brought back. Knows no page.
"""`keep_versions` around a change, `compare_texts`, `restore`."""

import difflib
from dataclasses import dataclass

from pipekit import repo
from pipekit.definitions.export import build_data, dump_yaml
from pipekit.definitions.records import Definitions
from pipekit.definitions.state import read_module
from pipekit.errors import NotFound
from pipekit.repo import State
from pipekit.repo import versions as rows
from pipekit.repo.state import at_commit, is_asked_at_commit


def write_definition(db: State, module_id: int) -> str:
    """What a definition file says of a module as it is now: its fields, watermarks and hooks. Raises NotFound."""
    module = repo.get_module(db, module_id)
    data = build_data(Definitions(modules={module.name: read_module(db, module)}))
    return dump_yaml({"modules": data["modules"]})


def keep_versions(db: State, user: str, module_id: int, *, is_new: bool = False) -> None:
    """Call it in the transaction of a change, before it. What the module says when that commits is a version of it.

    Changes of one transaction make one, those that change nothing none. A module of which none is kept yet has what it
    said before as its first.
    """
    if is_asked_at_commit(db, ("version", module_id)):
        return
    has_none = rows.find_newest_version(db, module_id) is None
    old = write_definition(db, module_id) if has_none and not is_new else None

    def keep() -> None:
        try:
            definition = write_definition(db, module_id)
        except NotFound:
            return  # it was deleted
        if definition == old:
            return
        if old is not None:
            rows.add_version(db, module_id, user=None, definition=old)
        rows.add_version(db, module_id, user=user, definition=definition)

    at_commit(db, ("version", module_id), keep)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of two texts beside each other: `same`, `gone` or `new`; `skip` stands for lines that are left out."""

    kind: str
    text: str


CONTEXT = 3


def compare_texts(old: str, new: str) -> list[Line]:
    """What differs, line by line, with three lines around it; empty for equal texts."""
    before, after = old.splitlines(), new.splitlines()
    found: list[Line] = []
    groups = difflib.SequenceMatcher(a=before, b=after, autojunk=False).get_grouped_opcodes(CONTEXT)
    for place, group in enumerate(groups):
        if place or group[0][1]:
            found.append(Line("skip", "..."))
        for tag, one, one_end, two, two_end in group:
            if tag == "equal":
                found += [Line("same", text) for text in before[one:one_end]]
            else:
                found += [Line("gone", text) for text in before[one:one_end]]
                found += [Line("new", text) for text in after[two:two_end]]
    return found
