# What was measured, as tables for people and as JSON for programs. Measures nothing itself.
"""The report of a benchmark run."""

import json
import math
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from bench.tables import Part


def describe_machine() -> str:
    """Cores, system and Python, and how busy the machine is before anything is measured."""
    system = f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}"
    cores = f"{os.cpu_count()} cores{_find_processor()}"
    return f"{cores}, {system}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at the beginning"


def _find_processor() -> str:
    """The processor's name where Linux tells it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((f" of {line.partition(':')[2].strip()}" for line in lines if line.startswith("model name")), "")


@dataclass(slots=True)
class Report:
    """Everything that was measured, by the names of the parts; `servers` is the version of the databases.

    `notes` say what was not as one would think, such as tools that could not be had; `broken` is why a part ended.
    """

    rows: int
    rounds: int
    began: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    servers: str = ""
    machine: str = field(default_factory=describe_machine)
    notes: list[str] = field(default_factory=list)
    parts: dict[str, Part] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def list_failures(self) -> list[str]:
        """The limits that do not hold, and the parts that came to no end."""
        missed = [limit.describe() for part in self.parts.values() for limit in part.limits if not limit.holds]
        return [*missed, *(f"{name}: {error}" for name, error in self.broken.items())]

    def to_text(self) -> str:
        """The tables."""
        lines = [
            f"{self.rows:,} rows, {self.rounds} rounds, {self.machine}, {self.servers}",
            *self.notes,
            "",
        ]
        for part in self.parts.values():
            lines += part.to_text()
        lines += [f"FAILED: {failure}" for failure in self.list_failures()] or ["All limits hold."]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Every single measurement; standard output of the commands is left out."""
        record: dict[str, Any] = _pack(self)
        return record | {"failures": self.list_failures()}

    def save(self, folder: Path) -> Path:
        """Keeps everything so far as JSON in `folder`."""
        path = folder / f"{self.began.replace(':', '')}.json"
        path.write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")
        return path


def _pack(value: Any) -> Any:
    """Records as objects, `stdout` left out; what else is no JSON as text, as is a figure without end."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _pack(getattr(value, each.name)) for each in fields(value) if each.name != "stdout"}
    if isinstance(value, Mapping):
        return {str(name): _pack(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_pack(each) for each in value]
    is_plain = value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_plain else str(value)
