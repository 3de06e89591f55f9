# A password that comes along with a connection's form: where it is kept, under which name. Shows nothing.
"""`take_secret` and `NewSecret`."""

import itertools
import os
import re
from dataclasses import dataclass, field
from typing import Any

from pipekit import repo
from pipekit.errors import Invalid
from pipekit.http.state import Context
from pipekit.models.people import User
from pipekit.web.kit.forms import Form


@dataclass(frozen=True, kw_only=True, slots=True)
class NewSecret:
    """A password that came along with a connection; `name` is "" for none."""

    name: str = ""
    value: str = field(default="", repr=False)

    @property
    def reference(self) -> dict[str, Any]:
        """The connection's field that refers to it."""
        return {"password": f"${self.name}"} if self.name else {}

    def keep(self, db: repo.State, context: Context, user: User) -> None:
        """Writes it to the secrets file. Raises ConfigError, Invalid; inside a transaction that undoes the rest."""
        if self.name:
            try:
                context.secrets.set(self.name, self.value)
            except Invalid as error:
                field = "password" if error.field == "name" else error.field
                raise Invalid(error.message, field=field, hint=error.hint) from error
            repo.note_audit(db, user=user.name, action="change", kind="secret", name=self.name)


def take_secret(db: repo.State, context: Context, form: Form) -> NewSecret:
    """The value that was typed, taken out of the form, under the name that was given or one like the connection's."""
    value = form.values.pop("secret_value", "").rstrip("\n")
    if not value:
        return NewSecret()
    name = form.value("password").strip().removeprefix("$") or _find_free_secret(db, context, form.value("name"))
    return NewSecret(name=name, value=value)


def _find_free_secret(db: repo.State, context: Context, connection: str) -> str:
    """`dw` -> `DW_PASSWORD`, or with a number where that is taken: in the file, the environment or by a reference."""
    known = {*context.secrets.names(), *os.environ}
    known |= {item.password.removeprefix("$") for item in repo.list_connections(db) if item.password}
    name = re.sub(r"[^A-Z0-9]+", "_", connection.upper()).strip("_") or "CONNECTION"
    name = f"_{name}_PASSWORD" if name[0].isdigit() else f"{name}_PASSWORD"
    return next(found for n in itertools.count(1) if (found := name if n == 1 else f"{name}_{n}") not in known)
