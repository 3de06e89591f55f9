# A column of a dest that is to be called or typed otherwise, or to go. Knows no database.
"""`Alteration`: what is asked for, and what a run has found out about it."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Literal, Self, get_args

Change = Literal["rename", "retype", "drop"]
CHANGES: tuple[Change, ...] = get_args(Change)


@dataclass(frozen=True, kw_only=True, slots=True)
class Alteration:
    """A change of the dest column `column`; `to` is its new name or type.

    `id` is the stable id of the module's column that feeds it, `""` where the module maps none there. `user` asked. The
    run fills in `was`, the column's type, and `source`, the query's column that feeds it by its name.
    """

    what: Change
    column: str
    to: str = ""
    id: str = ""
    user: str = ""
    was: str = ""
    source: str = ""

    def __str__(self) -> str:
        if self.what == "drop":
            return f"drop {self.column}"
        return f"{self.what} {self.column} to {self.to}"

    def to_text(self) -> str:
        """As it is kept: what was said, no more."""
        return json.dumps({name: value for name, value in asdict(self).items() if value})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Reads `to_text`; unknown names are ignored so that a newer file opens in an older program."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in json.loads(text).items() if name in known})
