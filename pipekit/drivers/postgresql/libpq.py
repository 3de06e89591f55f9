# libpq as psycopg wraps it, without the rest of psycopg. Knows no database and no address.
"""`pq`, `abc` and `Error`.

psycopg's package itself brings a client's classes, and with them asyncio, logging, ssl and more: as long to load as all
that a connection takes. Nothing here needs them, so its parts are loaded as of a package that has not been.
"""

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING

PACKAGE = "psycopg"


def _load_parts() -> tuple[ModuleType, ModuleType, ModuleType]:
    """In this order: `errors` by itself would ask for `pq` in the middle of its own making."""
    pq, errors, abc = (import_module(f"{PACKAGE}.{name}") for name in ("pq", "errors", "pq.abc"))
    return pq, abc, errors


def _load_without_package() -> tuple[ModuleType, ModuleType, ModuleType]:
    """The parts alone; with the package where it is loaded already, or where a later psycopg needs it."""
    spec = None if PACKAGE in sys.modules else find_spec(PACKAGE)
    if spec is None:
        return _load_parts()
    sys.modules[PACKAGE] = module_from_spec(spec)
    try:
        return _load_parts()
    except (ImportError, AttributeError):
        for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
            del sys.modules[name]
        return _load_parts()
    finally:
        if not hasattr(sys.modules[PACKAGE], "__version__"):
            del sys.modules[PACKAGE]  # whoever wants the package gets a whole one


if TYPE_CHECKING:
    from psycopg import Error as Error
    from psycopg import pq as pq
    from psycopg.pq import abc as abc
else:
    pq, abc, _errors = _load_without_package()
    Error = _errors.Error
