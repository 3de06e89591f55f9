# A connection's form: a record as fields, fields as a record, its address taken apart. Knows no request.
"""`build_form`, `read_fields`, and what an address is in fields: `fill_parts`, `settle_address`, `take_address`."""

from collections.abc import Sequence
from typing import Any

from pipekit.drivers import DRIVERS, get_driver
from pipekit.drivers.addresses import Parts, build_address, list_parts, split_address
from pipekit.drivers.base import Driver
from pipekit.drivers.urls import find_kind, split_login
from pipekit.errors import PipekitError
from pipekit.models import Connection, ConnectionFields
from pipekit.web.kit.forms import Form

ORDER = ("name", "driver", "jdbc_url", "username", "password", "secret_value", "max_runs", "variables")
# The fields of the address, so called in the form; what the address was when they were drawn.
PREFIX, SEEN = "at_", "address_seen"


def build_form(connection: Connection) -> Form:
    values = {name: getattr(connection, name) for name in ORDER if name != "secret_value"}
    return Form(values={name: "" if value is None else str(value) for name, value in values.items()}, order=ORDER)


def find_parts(form: Form) -> Parts | None:
    """The fields of the address of the kind that is chosen; None for a kind that has none."""
    try:
        driver = get_driver(form.value("driver"))
    except PipekitError:
        return None
    return list_parts(driver.kind, driver.url_example)


def fill_parts(form: Form) -> bool:
    """Takes the form's address apart into the fields; whether they can say all of it."""
    parts, url = find_parts(form), form.value("jdbc_url").strip()
    form.values[SEEN] = form.value("jdbc_url")
    if parts is None:
        return True
    found = split_address(parts, url) if url else {}
    for name in parts.names:
        form.values[PREFIX + name] = (found or {}).get(name, "")
    return found is not None


def keep_fitting(form: Form) -> None:
    """For a kind that was chosen anew: an address that is none of its own goes, one that is comes apart."""
    parts, url = find_parts(form), form.value("jdbc_url").strip()
    if parts is not None and not url.lower().startswith(parts.prefix.lower()):
        form.values["jdbc_url"] = ""
    fill_parts(form)


def settle_address(form: Form) -> None:
    """Makes one address of the fields and the line with all of it: whichever was typed into since they were drawn."""
    parts, typed = find_parts(form), form.value("jdbc_url").strip()
    if parts is None or typed != form.value(SEEN).strip():
        return
    given = {name: form.value(PREFIX + name) for name in parts.names}
    seen = split_address(parts, typed) if typed else {}
    if seen is not None and any(given.values()) and {k: v for k, v in given.items() if v.strip()} != _filled(seen):
        form.values["jdbc_url"] = build_address(parts, given)


def _filled(values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value.strip()}


def take_address(form: Form, drivers: Sequence[Driver]) -> str:
    """Takes an address that was pasted apart: its kind, its fields, its login. Returns what to say of it.

    A password in it is dropped: it would stand on the page.
    """
    login = split_login(_as_jdbc(form.value("jdbc_url").strip()))
    form.values["jdbc_url"] = login.jdbc_url
    if login.username and not form.value("username").strip():
        form.values["username"] = login.username
    kind = find_kind(login.jdbc_url)
    if kind and not _fits(form.value("driver"), login.jdbc_url, drivers):
        form.values["driver"] = kind
    told = "The address held a password, which is not kept: type it below." if login.password is not None else ""
    if not fill_parts(form):
        told += " The address says more than these fields can; it is used as it stands."
    return told.strip()


def _fits(kind: str, jdbc_url: str, drivers: Sequence[Driver]) -> bool:
    """Whether a kind that is registered has addresses of this beginning too."""
    parts = next((list_parts(d.kind, d.url_example) for d in drivers if d.kind == kind), None)
    return bool(parts and jdbc_url.lower().startswith(parts.prefix.lower()))


def _as_jdbc(text: str) -> str:
    """An address as other programs write it, in the way of JDBC."""
    for scheme in ("postgresql://", "postgres://"):
        if text.lower().startswith(scheme):
            return "jdbc:postgresql://" + text[len(scheme) :]
    return f"jdbc:{text}" if text.lower().startswith("sqlserver://") else text


def read_fields(form: Form) -> dict[str, Any]:
    """The fields of the form's connection; notes in the form what is wrong with them."""
    settle_address(form)
    values: dict[str, Any] = {
        "name": form.need("name", "Give the connection a name."),
        "driver": form.need("driver", "Choose the kind of database."),
        "jdbc_url": form.need("jdbc_url", "Write where the database is."),
        "username": form.value("username").strip() or None,
        "password": form.value("password").strip() or None,
        "max_runs": form.read_told("max_runs", ConnectionFields),
        "variables": form.value("variables"),
    }
    if values["driver"] in DRIVERS and values["jdbc_url"]:
        try:
            get_driver(values["driver"]).parse_url(values["jdbc_url"])
        except PipekitError as error:
            form.note_error(error, "jdbc_url")
    if values["password"] and not values["password"].startswith("$"):
        # What was typed may be the password itself: it is not sent back.
        form.note("password", "Give the name of a secret, $NAME, never the password itself. It was not kept.")
        form.values["password"] = ""
    return values
