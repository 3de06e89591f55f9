# Whether a row of PostgreSQL differs from a staged one, in whatever can be seen of it. Pure text.
"""What arrives differs in nothing from what left: 1.0 is not 1.00, and letters are compared as they are.

`=` says less than that of many types, and some have none. Where it says enough, it is the quickest; the rest is
compared as it is stored (`record_image_ne`), which may call equal values different, but never different ones equal.
"""

from pipekit.drivers.base import MergePlan, StagedColumn
from pipekit.drivers.postgresql.joins import build_value, is_written
from pipekit.drivers.postgresql.names import quote_identifier
from pipekit.drivers.postgresql.types import IDENTICAL, PADDED, STRINGS, parse_type


def build_differs(plan: MergePlan, alias: str, key: tuple[str, ...]) -> str:
    """A condition for a dest row `alias` and a staged row `s` that are equal by a key.

    Numbers come first, as the first difference ends the look.
    """
    written = [column for column in plan.columns if is_written(column, key)]
    looks = sorted(_build_one(column, alias) for column in written)
    return " OR ".join(look for _, look in looks) or "false"


def _build_one(column: StagedColumn, alias: str) -> tuple[int, str]:
    """What it costs, and the comparison."""
    held, staged = f"{alias}.{quote_identifier(column.dest.name)}", build_value(column)
    type_ = parse_type(column.dest.type)
    if not type_.dimensions and type_.base in IDENTICAL:
        return 0, f"{held} IS DISTINCT FROM {staged}"
    # All values of a column have the scale that it declares.
    if not type_.dimensions and type_.base == "numeric" and type_.arguments:
        return 1, f"{held} IS DISTINCT FROM {staged}"
    # bpchar without a length keeps blanks at the end that it does not compare.
    padded = type_.base in PADDED and not type_.arguments
    if not type_.dimensions and type_.base in STRINGS and type_.base != '"char"' and not padded:
        return 2, f'{held} COLLATE "C" IS DISTINCT FROM {staged}'
    return 3, f"pg_catalog.record_image_ne(ROW({held}), ROW({staged}))"
