# What a watermark on a file of an IBM i may stand on, what it survives and what it misses. Pure text.
"""`list_marks`: RRN, identity, row change timestamp, and the journal. See docs/db2-watermarks.md."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipekit.drivers.tables import Mark, TableColumn, TableName

Quote = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Journal:
    """The journal of a file; all names are those of the system, of ten characters."""

    library: str
    name: str
    file_library: str
    file_name: str


_RRN = (
    ("RGZPFM", "lost: rows get other numbers. Run once with an earlier watermark, or with the strategy full."),
    ("a restore", "kept, but the file may end before the watermark: rows that come then are missed."),
    ("CLRPFM", "lost: numbers begin at 1 again, below the watermark."),
    (
        "it misses",
        "updates, deletes, and rows that take the place of a deleted one (REUSEDLT, which SQL's tables have).",
    ),
)
_IDENTITY = (
    ("RGZPFM", "kept: the number is a value of the row."),
    ("a restore", "kept, but numbers may be given a second time: rows that get one again are missed."),
    ("CLRPFM", "kept, unless the numbering is started again (RESTART)."),
    ("it misses", "updates, deletes, and rows that were committed after ones with a higher number."),
)
_CHANGE = (
    ("RGZPFM", "kept: the time is a value of the row."),
    ("a restore", "kept; what had changed since the save is as it was then, and is not read again."),
    ("CLRPFM", "kept: rows that come then are newer."),
    ("it misses", "deletes, and changes committed after a run that were made before it: let the watermark overlap."),
)
_JOURNAL = (
    ("RGZPFM", "lost for what stands before it: entries name rows by their place."),
    ("a restore", "kept; entries of what was lost stay."),
    ("CLRPFM", "lost for what stands before it."),
    ("it misses", "deletes, and entries in receivers that are gone (the run ends then), or after SEQOPT(*RESET)."),
)


def list_marks(
    quote: Quote, literal: Quote, table: TableName, columns: Sequence[TableColumn], journal: Journal | None
) -> tuple[Mark, ...]:
    """What there is for a table: its own columns, RRN, and its journal if it is told."""
    taken = {column.name for column in columns}
    marks = [
        Mark(
            name=column.name,
            what="identity column" if column.grows == "identity" else "row change timestamp",
            told=_IDENTITY if column.grows == "identity" else _CHANGE,
        )
        for column in columns
        if column.grows
    ]
    name = "RRN" if "RRN" not in taken else "RRN_OF_FILE"
    rrn = f"RRN({quote(table.name)})"
    marks.append(Mark(name=name, what="a row's place in its file", told=_RRN, expression=rrn, type="DECIMAL(15,0)"))
    if journal is not None:
        named = f"{quote(table.schema)}.{quote(table.name)}" if table.schema else quote(table.name)
        query = _build_journal_query(literal, named, journal)
        marks.append(Mark(name="JOURNAL_SEQUENCE", what="the journal", told=_JOURNAL, query=query))
    return tuple(marks)


def _build_journal_query(literal: Quote, table: str, journal: Journal) -> str:
    """Rows that were written since an entry of the journal, each with its last one."""
    where = f"OBJECT_LIBRARY => {literal(journal.file_library)}, OBJECT_NAME => {literal(journal.file_name)}"
    return (
        f"SELECT f.*, j.JOURNAL_SEQUENCE\nFROM {table} AS f\nJOIN (\n"
        "  SELECT COUNT_OR_RRN AS PLACE, MAX(SEQUENCE_NUMBER) AS JOURNAL_SEQUENCE\n"
        f"  FROM TABLE(QSYS2.DISPLAY_JOURNAL({literal(journal.library)}, {literal(journal.name)},\n"
        "    STARTING_RECEIVER_NAME => '*CURCHAIN', STARTING_SEQUENCE => {since},\n"
        f"    {where}, OBJECT_OBJTYPE => '*FILE', OBJECT_MEMBER => '*ALL',\n"
        "    JOURNAL_CODES => 'R', JOURNAL_ENTRY_TYPES => 'PT,PX,UP')) AS e\n"
        "  GROUP BY COUNT_OR_RRN\n) AS j ON j.PLACE = RRN(f)"
    )
