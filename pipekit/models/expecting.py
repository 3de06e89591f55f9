# What a module expects of its rows, as records of single lines. Knows no database.
"""`list_expected` reads a module's `expect`; `find_expect_problem` is for files, forms and the API.

`find_staging_need` says whether rows may also go another way than through staging.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pipekit.models.definitions import ModuleFields
from pipekit.models.listed import split_listed

Sort = Literal["not_null", "unique", "accepted", "sql"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """One line: `columns` it is about, the values that are `accepted`, or a query that gives no rows."""

    sort: Sort
    columns: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    sql: str = ""

    def __str__(self) -> str:
        if self.sort == "sql":
            first, _, more = self.sql.strip().partition("\n")
            return f"sql: {first[:80]}{' ...' if more or len(first) > 80 else ''}"
        named = ", ".join(self.columns)
        if self.sort != "accepted":
            return f"{self.sort}: {named}"
        shown = ", ".join(self.accepted[:5]) + (" ..." if len(self.accepted) > 5 else "")
        return f"accepted: {named}: {shown}"


def list_expected(module: ModuleFields) -> Iterator[Expected]:
    """The lines of a module that was checked, in the order of its form."""
    for name in split_listed("names", module.expect_not_null):
        yield Expected(sort="not_null", columns=(name,))
    for key in split_listed("keys", module.expect_unique):
        yield Expected(sort="unique", columns=(key,) if isinstance(key, str) else tuple(key))
    for name, values in split_listed("values", module.expect_accepted).items():
        yield Expected(sort="accepted", columns=(name,), accepted=tuple(values))
    for sql in split_listed("texts", module.expect_sql):
        yield Expected(sort="sql", sql=sql)


def find_staging_need(module: ModuleFields) -> str:
    """Why all rows of a module must be in staging before they are merged, as a clause; `""` where they need not."""
    if next(list_expected(module), None):
        return "its `expect` looks at all of them there"
    return "the NULLs of all of them are counted there (`usual`)" if module.guards.usual in ("warn", "stop") else ""


def find_expect_problem(module: ModuleFields) -> tuple[str, str]:
    """The field in the way and a sentence on it; two empty texts where all is well."""
    try:
        split_listed("values", module.expect_accepted)
    except ValueError as error:
        return "expect_accepted", str(error)
    return "", ""
