# Asking for a change of a dest column, by its stable id or its name. Knows the state database only.
"""`build_alteration` reads what a person says; `ask_alteration` puts it into the server's queue."""

from dataclasses import replace

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.errors import Conflict, Invalid
from pipekit.models import Alteration, Module, Run
from pipekit.models.altering import CHANGES, Change


def build_alteration(db: repo.State, module: Module, what: Change, column: str, to: str, user: str) -> Alteration:
    """`column` is the id of a module's column, or a name in the dest.

    Raises Invalid (fields `what`, `column`, `to`) for what cannot be meant, a name or type the dest cannot have, and
    where one column has an id that is another's name.
    """
    if what not in CHANGES:
        raise Invalid(f"A column can be changed by {', '.join(CHANGES)}, not by {what!r}.", field="what")
    column, to = column.strip(), to.strip()
    if not column:
        raise Invalid("Say which column.", field="column")
    if bool(to) != (what != "drop"):
        message = "A column that goes gets no name or type." if to else f"Say the new {_MEANT[what]}."
        raise Invalid(message, field="to")
    by_id = next((item for item in module.columns if item.id == column), None)
    by_name = next((item for item in module.columns if item.dest_name.casefold() == column.casefold()), None)
    if by_id and by_name and by_id is not by_name:
        message = f"{column!r} is the id of {by_id.dest_name!r}, and the name of {by_name.id}."
        raise Invalid(message, field="column", hint=f"Say {by_id.dest_name} or {by_name.id}.")
    meant = by_id or by_name
    _check_to(db, module, what, to)
    return Alteration(
        what=what, column=meant.dest_name if meant else column, to=to, id=meant.id if meant else "", user=user
    )


_MEANT = {"rename": "name", "retype": "type"}


def _check_to(db: repo.State, module: Module, what: Change, to: str) -> None:
    driver = get_driver(repo.get_connection(db, module.dest_id).driver)
    try:
        if what == "rename":
            driver.quote_identifier(to)
        elif what == "retype":
            driver.check_type(to)
    except Invalid as error:
        raise Invalid(error.message, field="to", hint=error.hint) from error


def ask_alteration(db: repo.State, module: Module, alteration: Alteration, *, triggered_by: str, dry_run: bool) -> Run:
    """Puts a run that changes the column, or with `dry_run` says what that would do, into the server's queue.

    Raises ModuleBusy.
    """
    with repo.transaction(db):
        asked = repo.enqueue_run(db, module.id, triggered_by=triggered_by, dry_run=dry_run, alteration=alteration)
        detail = {"run_id": asked.id, "column": str(alteration), "dry_run": dry_run}
        repo.note_audit(db, user=alteration.user, action="run", kind="module", name=module.name, detail=detail)
        return asked


def get_previewed(run: Run, module: Module, user: str) -> Alteration:
    """What a run has said it would do, to be done now. Raises Conflict for one that is no such preview."""
    if run.alteration is None or run.status != "dry_run" or run.module_id != module.id:
        raise Conflict(f"Run {run.id} is no preview of a column's change that can be made.")
    return replace(run.alteration, user=user, was="", source="")
