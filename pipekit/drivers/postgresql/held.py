# What a PostgreSQL dest holds after a merge against what was staged. Pure text; knows no connection.
"""The look after a merge, the counts around `append`, and staged rows against the dest's."""

from collections.abc import Callable

from pipekit.drivers.bags import Bags
from pipekit.drivers.base import MergePlan
from pipekit.drivers.facts import Look
from pipekit.drivers.postgresql.joins import build_value, name_dest
from pipekit.drivers.postgresql.keeping import build_known, build_scope
from pipekit.drivers.postgresql.names import quote_identifier, quote_table
from pipekit.drivers.postgresql.types import IDENTICAL, PADDED, STRINGS, parse_type

Literal = Callable[[str], str]


def build_look(plan: MergePlan, literal: Literal) -> Look:
    """`full`: all rows. Keyed: those of the staged keys, also for `append` where a unique key is fed."""
    return build_bags(plan, literal).build_look(both=plan.strategy != "append" or bool(plan.row_key))


def build_present_sql(plan: MergePlan, literal: Literal) -> str:
    """The dest's rows that are equal to a staged one."""
    return build_bags(plan, literal).build_present()


def build_bags(plan: MergePlan, literal: Literal) -> Bags:
    """Staged rows against the dest's: of a keyed plan those of the staged keys."""
    first = plan.key or plan.row_key
    columns = sorted(plan.columns, key=lambda column: column.dest.name not in first)
    scope = ""
    if plan.strategy in ("incremental", "upsert"):
        scope = build_scope(plan)
    elif plan.strategy == "append" and plan.row_key:
        scope = build_known(plan)
    return Bags(
        names=[column.dest.name for column in columns],
        staged=[_build_same(build_value(column), column.dest.type) for column in columns],
        held=[_build_same(f"d.{quote_identifier(column.dest.name)}", column.dest.type) for column in columns],
        staging=f"{quote_table(plan.staging)} AS s",
        dest=f"{name_dest(plan)} AS d",
        scope=scope,
        keys=len(first),
        literal=literal,
    )


def _build_same(value: str, type_text: str) -> str:
    """Equal only when it is the same value: 1.0 is not 1.00, and letters are compared as they are."""
    type_ = parse_type(type_text)
    if type_.base in PADDED and not type_.arguments and not type_.dimensions:
        # It keeps blanks at its end, which neither a comparison nor a cast to text does.
        return f"pg_catalog.textin(pg_catalog.bpcharout({value}))"
    if type_.base in IDENTICAL and not type_.dimensions:
        return value
    if type_.base in STRINGS and not type_.dimensions and type_.base != '"char"':
        return f'{value} COLLATE "C"'
    return f"CAST({value} AS text)"
