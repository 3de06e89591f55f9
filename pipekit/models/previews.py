# A frozen record of what a merge would do. Knows nothing of where it is kept or used.
"""`Preview` and `Samples`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

Cells = Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Meeting:
    """A dest row that would be updated: its `key` (all of it where there is none), and (old, new) of what differs."""

    key: Cells
    differs: Mapping[str, tuple[str | None, str | None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Samples:
    """A few rows of each sort; every cell is text as the dest spells it, cut where it is long, or None for NULL."""

    insert: tuple[Cells, ...] = ()
    update: tuple[Meeting, ...] = ()
    delete: tuple[Cells, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Reads what `asdict` has written."""
        met = tuple(
            Meeting(key=item["key"], differs={name: (old, new) for name, (old, new) in item["differs"].items()})
            for item in data["update"]
        )
        return cls(insert=tuple(data["insert"]), update=met, delete=tuple(data["delete"]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a run's merge would do: figures as its record would have them, None where the kind does not tell.

    `notes` are sentences on what the figures do not say. `counts` are the merge's own, under its names; `definition`
    and `plan` are digests of what the module said and of what was found in the dest. Its staging table is kept until
    `kept_until` (a moment as records have them), None once it is merged or dropped.
    """

    would_insert: int
    would_update: int
    would_delete: int
    unchanged: int | None
    samples: Samples = field(default_factory=Samples)
    notes: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    definition: str = ""
    plan: str = ""
    kept_until: str | None = None

    def write(self) -> str:
        """All but `kept_until`, as it is kept."""
        data = asdict(self)
        del data["kept_until"]
        return json.dumps(data)

    @classmethod
    def read(cls, text: str, kept_until: str | None) -> Self:
        """Reads what `write` has written."""
        data = json.loads(text)
        return cls(**{**data, "samples": Samples.from_json(data["samples"]), "kept_until": kept_until})

    def to_json(self, *, samples: bool = True) -> dict[str, Any]:
        """What `pipekit run --preview --json` adds to the run record; the samples are for who may look into data."""
        told: dict[str, Any] = {
            "would_insert": self.would_insert,
            "would_update": self.would_update,
            "would_delete": self.would_delete,
            "unchanged": self.unchanged,
            "notes": list(self.notes),
            "kept_until": self.kept_until,
        }
        return told | ({"samples": asdict(self.samples)} if samples else {})
