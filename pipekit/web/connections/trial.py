# Trying a connection: connects, logs in, looks. Keeps nothing; knows no request.
"""`try_connection` and `Outcome`."""

import time
from dataclasses import dataclass
from typing import Any

from pipekit.drivers import get_driver
from pipekit.errors import PipekitError
from pipekit.http.state import Context
from pipekit.mends import find_mend
from pipekit.models import Connection

# Somebody waits in front of the button.
TEST_WITHIN_S = 10.0
SHOWN_SCHEMAS = 12
LONGEST_PRODUCT = 80


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of it: `product` and what is there, or a message with a hint; both masked."""

    ok: bool = False
    message: str = ""
    hint: str = ""
    seconds: float = 0.0
    product: str = ""
    schemas: tuple[str, ...] = ()
    more: int = 0
    tables: int = 0

    @property
    def told(self) -> str:
        """Why it failed, `""` when it did not."""
        return "" if self.ok else f"{self.message} {self.hint}".strip()


def try_connection(context: Context, connection: Connection, *, password: str | None = None) -> Outcome:
    """Connects as a run would. `password` stands for the one that the connection refers to."""
    started = time.monotonic()
    try:
        with context.looks.open(connection, limit_s=TEST_WITHIN_S, password=password) as look:
            schemas = look.driver.list_schemas(look.query)
            # An embedded kind knows its one schema without looking; its tables it must look up.
            tables = look.driver.list_tables(look.query, schemas[0]) if schemas else []
            version = look.query(look.driver.version_sql).first_cell() if look.driver.version_sql else None
    except PipekitError as error:
        masker = context.secrets.masker()
        if password:
            masker.add(password)
        hint = error.hint or find_mend(error.message)
        return Outcome(message=masker.tell(error.message), hint=masker.tell(hint))
    found: dict[str, Any] = {"schemas": tuple(schemas[:SHOWN_SCHEMAS]), "more": len(schemas) - SHOWN_SCHEMAS}
    product = _name_product(get_driver(connection.driver).label, version)
    return Outcome(ok=True, seconds=time.monotonic() - started, product=product, tables=len(tables), **found)


def _name_product(label: str, version: str | None) -> str:
    """`PostgreSQL 18.0`; a version that names its product itself stands alone."""
    first = " ".join((version or "").split("\n")[0].split())
    name = first if label.casefold() in first.casefold() else f"{label} {first}".strip()
    return name[:LONGEST_PRODUCT]
