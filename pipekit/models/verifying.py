# Frozen records of a dest that is held against its source. Knows nothing of how that is done.
"""`Verify`, what is asked for, and `Verified`, what was found."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

# Keys that a record keeps of what differs, and of all that is shown to who asked.
KEPT_KEYS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Verify:
    """A comparison of all that a module's query gives, unless bounded.

    `key_from` and `key_to` are the least and greatest value of the key's first column; `last_days` counts back from now
    in `column`; `sample` is a percentage of the rows. With `repair` what differs is written into the dest.
    """

    key_from: str | None = None
    key_to: str | None = None
    last_days: int | None = None
    column: str | None = None
    sample: float | None = None
    repair: bool = False

    def to_text(self) -> str:
        """As it is kept: what was said, no more."""
        return json.dumps({name: value for name, value in asdict(self).items() if value not in (None, False)})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads `to_text`; unknown names are ignored so that a newer file opens in an older program."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in json.loads(text).items() if name in known})


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One row that differs: `kind` is missing, extra or differing, `key` its key (or the whole row without one).

    `values` has both sides of each column that differs, source first; it is shown to who asked, and not recorded.
    """

    kind: str
    key: Mapping[str, str | None]
    columns: tuple[str, ...] = ()
    values: tuple[tuple[str | None, str | None], ...] = ()

    def to_json(self) -> list[dict[str, Any]]:
        """One item for each column that differs, with its values; one without a column where a whole row does."""
        pairs = zip(self.columns, self.values, strict=True)
        sides = [{"column": name, "source": one, "dest": two} for name, (one, two) in pairs]
        whole = [{"column": None, "source": None, "dest": None}]
        return [{"kind": self.kind, "key": dict(self.key), **side} for side in sides or whole]

    def to_record(self) -> dict[str, Any]:
        """Without them."""
        return {"kind": self.kind, "key": dict(self.key), "columns": list(self.columns)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """Rows of both sides that were compared, and how many are missing in the dest, extra there, or differ.

    `extra_kept` are those of the extra rows that the module's strategy leaves in the dest: they are told, and are no
    difference. `means` says how values were compared, `compared` which rows; `left_out` are columns that were not.
    `repaired` are the numbers of missing, extra and differing rows that the run has mended before it looked again.
    """

    equal: bool
    rows_source: int
    rows_dest: int
    missing: int = 0
    extra: int = 0
    differing: int = 0
    extra_kept: int = 0
    means: str = ""
    compared: str = ""
    left_out: tuple[str, ...] = ()
    examples: tuple[Difference, ...] = ()
    repaired: Mapping[str, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """For who asked: with the examples' values."""
        record = {f.name: getattr(self, f.name) for f in fields(self)}
        return record | {
            "left_out": list(self.left_out),
            "examples": [line for item in self.examples for line in item.to_json()],
        }

    def to_text(self) -> str:
        """As it is kept: keys, no values."""
        kept = [item.to_record() for item in self.examples[:KEPT_KEYS]]
        return json.dumps(self.to_json() | {"examples": kept})
