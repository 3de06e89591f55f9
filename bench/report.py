# What was measured, as tables for people and as JSON for programs. Measures nothing itself.
"""The report of a benchmark run."""

import math
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from bench.tables import Part


@dataclass(slots=True)
class Report:
    """Everything that was measured, by the names of the parts; `servers` is the version of the databases."""

    rows: int
    rounds: int
    began: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    servers: str = ""
    parts: dict[str, Part] = field(default_factory=dict)

    def list_failures(self) -> list[str]:
        """The limits that do not hold."""
        return [limit.describe() for part in self.parts.values() for limit in part.limits if not limit.holds]

    def to_text(self) -> str:
        """The tables."""
        lines = [f"{self.rows:,} rows x 16 columns, {self.rounds} rounds, {describe_machine()}, {self.servers}", ""]
        for part in self.parts.values():
            lines += part.to_text()
        lines += [f"FAILED: {failure}" for failure in self.list_failures()] or ["All limits hold."]
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Every single measurement; standard output of the commands is left out."""
        record: dict[str, Any] = _pack(self)
        return record | {"machine": describe_machine(), "failures": self.list_failures()}


def describe_machine() -> str:
    """Cores, system and Python."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"


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
