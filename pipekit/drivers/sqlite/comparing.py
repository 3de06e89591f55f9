# How keys are compared in SQLite so that equal ones meet whichever way it looks for them. Pure text.
"""`KeyValues`: the columns of a merge's keys as they stand in a comparison.

Texts under RTRIM are equal but for blanks at their end, while the filter that a join puts before its search goes by
their length: rows that are equal are passed over. So such texts are compared without those blanks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipekit.drivers.base import MergePlan
from pipekit.drivers.sqlite.typemap import bare_type


@dataclass(frozen=True, slots=True)
class KeyValues:
    """`quote` quotes an identifier; `padded` are the columns that are compared under RTRIM."""

    quote: Callable[[str], str]
    padded: frozenset[str]

    def build(self, name: str, alias: str = "") -> str:
        """A column, of a table's alias unless it stands alone."""
        value = f"{alias}.{self.quote(name)}" if alias else self.quote(name)
        return (
            f"CASE typeof({value}) WHEN 'text' THEN rtrim({value}) ELSE {value} END" if name in self.padded else value
        )

    def build_list(self, names: Sequence[str], alias: str = "") -> str:
        """Columns with commas between them."""
        return ", ".join(self.build(name, alias) for name in names)

    def build_tuple(self, names: Sequence[str], alias: str) -> str:
        """Columns to stand before IN."""
        return f"({self.build_list(names, alias)})" if len(names) > 1 else self.build_list(names, alias)


def read_keys(plan: MergePlan, quote: Callable[[str], str]) -> KeyValues:
    """The keys of a plan, by the collations of the dest's columns."""
    types = {column.dest.name: column.dest.type.strip() for column in plan.columns}
    padded = {name for name, type_ in types.items() if type_[len(bare_type(type_)) :].upper().endswith(" RTRIM")}
    return KeyValues(quote, frozenset(padded))
