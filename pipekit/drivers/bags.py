# Staged rows against a dest's rows, as bags, in SQL that databases share. Pure text; knows no kind.
"""`Bags`: whether two sets of rows are equal, each value as often here as there, and what differs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipekit.drivers.facts import Look

# Columns of a row that an example shows, and characters of it.
_SHOWN = 8
_LONG = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Bags:
    """`names` of the columns, those of a key (`keys` of them) first; `staged` and `held` are their values.

    The values are expressions in which equal means the same; `staging` and `dest` are what follows FROM, `scope` and
    `staged_scope` conditions for the rows that count, `""` for all. `text` makes text of a value, NULL of NULL; `join`
    puts texts together; `cut` shortens a text to so many characters.
    """

    names: Sequence[str]
    staged: Sequence[str]
    held: Sequence[str]
    staging: str
    dest: str
    scope: str = ""
    staged_scope: str = ""
    keys: int = 0
    literal: Callable[[str], str]
    text: Callable[[str], str] = "CAST({} AS text)".format
    join: Callable[[Sequence[str]], str] = " || ".join
    cut: Callable[[str, int], str] = "substr({}, 1, {})".format

    @property
    def places(self) -> list[str]:
        """What the columns are called in a difference."""
        return [f"c{number}" for number in range(len(self.names))]

    @property
    def staged_rows(self) -> str:
        """What follows FROM for the staged rows that count."""
        return self.staging + (f"\n  WHERE {self.staged_scope}" if self.staged_scope else "")

    @property
    def held_rows(self) -> str:
        """The same for the dest's."""
        return self.dest + (f"\n  WHERE {self.scope}" if self.scope else "")

    def build_look(self, *, both: bool) -> Look:
        """Rows that stand more often on one side; without `both` only those that the dest lacks.

        A row that came changed is one of each, and counts once.
        """
        sign = "<>" if both else ">"
        lacks, more = "SUM(CASE WHEN b.n > 0 THEN b.n ELSE 0 END)", "SUM(CASE WHEN b.n < 0 THEN -b.n ELSE 0 END)"
        larger = f"CASE WHEN {lacks} > {more} THEN {lacks} ELSE {more} END"
        count = f"SELECT COALESCE({larger}, 0) FROM (\n{self.build_difference(sign)}\n) b"
        return Look(count=count, details=self._build_details(sign))

    def build_present(self) -> str:
        """How many rows of the dest are equal to a staged one."""
        sums = "SUM(CASE WHEN u.n < 0 THEN 1 ELSE 0 END)"
        there = f"{self.build_both(sums)}\nHAVING SUM(CASE WHEN u.n > 0 THEN 1 ELSE 0 END) > 0"
        return f"SELECT COALESCE(SUM(b.n), 0) FROM (\n{there}\n) b"

    def build_both(self, sums: str) -> str:
        """Each row of both sides once, as c0, c1 ..., `sums` over u.n as n: 1 if it is staged, else -1."""
        places = self.places
        staged, held = (
            ", ".join(f"{value} AS {place}" for value, place in zip(values, places, strict=True))
            for values in (self.staged, self.held)
        )
        grouped = ", ".join(f"u.{place}" for place in places)
        # Named on both sides: to Derby a column of a UNION has a name only if it is the same twice.
        union = f"  SELECT {staged}, 1 AS n FROM {self.staged_rows}\n  UNION ALL\n  SELECT {held}, -1 AS n"
        return f"SELECT {grouped}, {sums} AS n FROM (\n{union} FROM {self.held_rows}\n) u\nGROUP BY {grouped}"

    def build_difference(self, sign: str = "<>") -> str:
        """Rows that stand more often on one side, and by how many more: n is less than 0 for the dest's."""
        return f"{self.build_both('SUM(u.n)')}\nHAVING SUM(u.n) {sign} 0"

    def _build_details(self, sign: str) -> str:
        cells = [
            self._build_clause("rows that are not there: ", "(SELECT SUM(n) FROM b WHERE n > 0)"),
            self._build_clause("rows that were not staged: ", "(SELECT -SUM(n) FROM b WHERE n < 0)"),
            *(self._build_column(number) for number in range(len(self.names))),
            self._build_example("staged, for example: ", ">"),
            self._build_example("in the dest, for example: ", "<"),
        ]
        listed = ",\n  ".join(cells)
        return f"WITH b AS (\n{self.build_difference(sign)}\n)\nSELECT {listed}"

    def _build_clause(self, words: str, number: str) -> str:
        return f"CASE WHEN {number} > 0 THEN {self.join([self.literal(words), self.text(number)])} END"

    def _build_column(self, number: int) -> str:
        """Values of a column that are gone, where rows came changed and were not only dropped."""
        lost = f"(SELECT SUM(t.n) FROM (SELECT SUM(n) AS n FROM b GROUP BY c{number} HAVING SUM(n) > 0) t)"
        told = self.join([self.literal(f"{self.names[number]} ("), self.text(lost), self.literal(" differ)")])
        return f"CASE WHEN EXISTS (SELECT 1 FROM b WHERE n < 0) AND {lost} > 0 THEN {told} END"

    def _build_example(self, words: str, sign: str) -> str:
        parts: list[str] = []
        for number, name in enumerate(self.names[:_SHOWN]):
            parts.append(self.literal(f"{', ' if number else ''}{name} = "))
            parts.append(f"COALESCE({self.text(f'c{number}')}, 'NULL')")
        row = f"(SELECT MIN({self.cut(self.join(parts), _LONG)}) FROM b WHERE n {sign} 0)"
        return self.join([self.literal(words), row])
