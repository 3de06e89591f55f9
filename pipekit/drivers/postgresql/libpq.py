# libpq as psycopg wraps it, without the rest of psycopg. Knows no database and no address.
"""`pq`, `abc` and `Error`.

psycopg's package itself brings a client's classes, and with them asyncio, logging, ssl and more: as long to load as all
that a connection takes. Nothing here needs them, so its parts are loaded as of a package that has not been; so is the
one class of asyncio's that they name.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING

PACKAGE = "psycopg"
_NAMED = "CancelledError"


def _load_parts() -> tuple[ModuleType, ModuleType, ModuleType]:
    """In this order: `errors` by itself would ask for `pq` in the middle of its own making."""
    pq, errors, abc = (import_module(f"{PACKAGE}.{name}") for name in ("pq", "errors", "pq.abc"))
    return pq, abc, errors


def _load_without_packages() -> tuple[ModuleType, ModuleType, ModuleType]:
    """The parts alone; with the packages where they are loaded already, or where a later psycopg needs them."""
    try:
        with _open_unloaded("asyncio", keeps=False) as asyncio, _open_unloaded(PACKAGE, keeps=True):
            if asyncio is not None:
                setattr(asyncio, _NAMED, getattr(import_module("asyncio.exceptions"), _NAMED))
            return _load_parts()
    except (ImportError, AttributeError):
        _forget(PACKAGE)
    return _load_parts()


@contextmanager
def _open_unloaded(name: str, *, keeps: bool) -> Iterator[ModuleType | None]:
    """A package that is not loaded, so that its parts can be, which it `keeps` or not; None where it is loaded already.

    Whoever wants the package later gets all of it.
    """
    spec = None if name in sys.modules else find_spec(name)
    if spec is None:
        yield None
        return
    package = sys.modules[name] = module_from_spec(spec)
    try:
        yield package
    finally:
        if sys.modules.get(name) is package:
            del sys.modules[name]
        if not keeps:
            _forget(name)


def _forget(package: str) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]


if TYPE_CHECKING:
    from psycopg import Error as Error
    from psycopg import pq as pq
    from psycopg.pq import abc as abc
else:
    pq, abc, _errors = _load_without_packages()
    Error = _errors.Error
