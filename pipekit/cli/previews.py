# What a preview has found, as lines of text. Knows the record of a preview, no database.
"""`print_preview`."""

from typing import TYPE_CHECKING

from pipekit.cli.session import Session
from pipekit.cli.text import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipekit.models import Preview, Run


def print_preview(session: Session, run: "Run", found: "Preview") -> None:
    """Figures, notes, sample rows, and how to merge or drop what was staged."""
    left = "not told" if found.unchanged is None else str(found.unchanged)
    session.say(
        f"  would delete {found.would_delete}  insert {found.would_insert}  update {found.would_update}"
        f"  leave unchanged {left}"
    )
    for note in found.notes:
        session.say(f"  note: {clean_line(note)}")
    for sign, rows in (("-", found.samples.delete), ("+", found.samples.insert)):
        for row in rows:
            session.say(f"  {sign} {_write(row)}")
    for item in found.samples.update:
        changes = ", ".join(f"{name} {_spell(old)} -> {_spell(new)}" for name, (old, new) in item.differs.items())
        session.say(f"  ~ {_write(item.key)}: {changes or 'written, no difference that can be seen'}")
    if found.kept_until:
        session.say(f"  staged until {found.kept_until}: pipekit run {run.module} --merge-preview {run.id}")


def _write(cells: "Mapping[str, str | None]") -> str:
    return ", ".join(f"{name} {_spell(cell)}" for name, cell in cells.items())


def _spell(cell: str | None) -> str:
    return "NULL" if cell is None else repr(clean_line(cell))
