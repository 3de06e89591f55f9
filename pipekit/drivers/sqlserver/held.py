# What a dest in SQL Server holds after a merge against what was staged. Pure text; knows no connection.
"""The look after a merge, the counts around `append`, and staged rows against the dest's.

Every value is compared as text under a binary collation, with a mark at its end: for SQL Server blanks at the end of a
text and zeros at the end of bytes make no difference, and an instant is the same in every zone.
"""

import re

from pipekit.drivers.bags import Bags
from pipekit.drivers.base import MergePlan
from pipekit.drivers.facts import Look
from pipekit.drivers.sqlserver.exact import build_text
from pipekit.drivers.sqlserver.joins import build_known, build_scope, build_value
from pipekit.drivers.sqlserver.names import quote_identifier, quote_table, quote_text
from pipekit.drivers.sqlserver.types import parse_type

MARK = "."
_PLACE = re.compile(r"c\d+")


def build_look(plan: MergePlan) -> Look:
    """`full`: all rows. Keyed: those of the staged keys, also for `append` where a unique key is fed."""
    return build_bags(plan).build_look(both=plan.strategy != "append" or bool(plan.row_key))


def build_present_sql(plan: MergePlan) -> str:
    """The dest's rows that are equal to a staged one."""
    return build_bags(plan).build_present()


def build_bags(plan: MergePlan) -> Bags:
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
        dest=f"{quote_table(plan.dest)} AS d",
        scope=scope,
        keys=len(first),
        literal=quote_text,
        text=_build_shown,
        join=" + ".join,
        cut="LEFT({}, {})".format,
    )


def _build_same(value: str, type_text: str) -> str:
    if parse_type(type_text).base == "image":
        value, type_text = f"CAST({value} AS varbinary(max))", "varbinary(max)"
    return f"{build_text(value, type_text)} COLLATE Latin1_General_100_BIN2 + N'{MARK}'"


def _build_shown(expression: str) -> str:
    """Text of a number, or what stands before the mark of a value."""
    if _PLACE.fullmatch(expression):
        return f"LEFT({expression}, DATALENGTH({expression}) / 2 - {len(MARK)})"
    return f"CAST({expression} AS nvarchar(max))"
