# What an error is to whoever asked: a status and four texts. Knows no answer.
"""`get_status`, `describe`, and `note_reason` for the log."""

from collections.abc import MutableMapping
from typing import Any

from pipekit.errors import (
    ConfigError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PipekitError,
    RunnerError,
    StateError,
    TooMany,
    Unauthorized,
)

# The first that fits counts.
STATUSES: tuple[tuple[type[PipekitError], int], ...] = (
    (NotFound, 404),
    (Invalid, 422),
    (Conflict, 409),
    (Unauthorized, 401),
    (Forbidden, 403),
    (TooMany, 429),
    (StateError, 503),
    (ConfigError, 503),
    (RunnerError, 502),
)


_REASON = "pipekit_reason"


def get_status(error: PipekitError) -> int:
    """The HTTP status of an error."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)


def describe(error: PipekitError) -> dict[str, Any]:
    """An error as the API answers it."""
    return {"code": error.code, "message": error.message, "hint": error.hint, "field": getattr(error, "field", "")}


def note_reason(scope: MutableMapping[str, Any], reason: str) -> None:
    """Keeps why a request was refused that is answered without an exception: the log tells it."""
    if reason:
        scope.setdefault("state", {})[_REASON] = reason


def find_reason(scope: MutableMapping[str, Any]) -> str:
    """What `note_reason` kept, `""` where nothing was refused."""
    return str(scope.get("state", {}).get(_REASON, ""))
