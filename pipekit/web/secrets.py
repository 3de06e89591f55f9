# Secrets in a browser: names, who refers to them, setting and deleting. No value ever goes out.
"""`/secrets`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.errors import ConfigError, Invalid, NotFound
from pipekit.http.state import Context, ContextDep, Db
from pipekit.web.kit.answers import go
from pipekit.web.kit.confirm import confirm
from pipekit.web.kit.forms import Form, FormDep, get_text
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin, Viewer

router = APIRouter(include_in_schema=False)


@router.get("/secrets")
def show_list(request: Request, db: Db, context: ContextDep, user: Viewer) -> Response:
    """Names, the connections that refer to them, and references that have no value."""
    return _show(request, db, context, Form(order=()))


@router.post("/secrets")
def keep(request: Request, db: Db, context: ContextDep, user: Admin, data: FormDep) -> Response:
    """Keeps a value under a name, in place of the one there was."""
    form = Form(values={"name": get_text(data, "name").strip().removeprefix("$")}, order=("name", "value"))
    name = form.need("name", "Give the secret a name.")
    # Only the line end that a pasted value brings along is taken off: blanks may belong to it.
    value = get_text(data, "value").rstrip("\n")
    if not value:
        form.note("value", "Type the value.")
    if not form.problems:
        try:
            context.secrets.set(name, value)
        except (Invalid, ConfigError) as error:
            form.note_error(error, "name")
    if form.problems:
        return _show(request, db, context, form, status=422)
    repo.note_audit(db, user=user.name, action="change", kind="secret", name=name)
    return go(request, "/secrets")


@router.get("/secrets/{name}/delete")
def show_delete(request: Request, db: Db, context: ContextDep, user: Admin, name: str) -> Response:
    """Names the connections that would be left without a password."""
    _check_known(context, name)
    users = _list_users(db).get(name, [])
    goes = [f"the value of {name}, from the secrets file"]
    goes += [f"the password of the connection {user_name}, which then cannot log in" for user_name in users]
    return confirm(
        request,
        crumbs=[("/secrets", "Secrets")],
        title=f"Delete the secret {name}",
        goes=goes,
        button=f"Delete {name}",
        back="/secrets",
    )


@router.post("/secrets/{name}/delete")
def delete(request: Request, db: Db, context: ContextDep, user: Admin, name: str) -> Response:
    """Takes a secret out of the file."""
    _check_known(context, name)
    context.secrets.delete(name)
    repo.note_audit(db, user=user.name, action="delete", kind="secret", name=name)
    return go(request, "/secrets")


def _check_known(context: Context, name: str) -> None:
    if name not in context.secrets.names():
        raise NotFound(f"There is no secret {name!r}.")


def _list_users(db: repo.State) -> dict[str, list[str]]:
    """The connections that refer to each name."""
    users: dict[str, list[str]] = {}
    for connection in repo.list_connections(db):
        if connection.password:
            users.setdefault(connection.password.removeprefix("$"), []).append(connection.name)
    return users


def _show(request: Request, db: repo.State, context: Context, form: Form, *, status: int = 200) -> Response:
    try:
        names, trouble = context.secrets.names(), ""
    except ConfigError as error:
        names, trouble = [], f"{error.message} {error.hint}".strip()
    users = _list_users(db)
    missing = [name for name in users if name not in names and not _has_value(context, name)]
    values = {"names": names, "users": users, "missing": missing, "trouble": trouble}
    return render(request, "secrets.html", status, form=form, **values, path=context.config.secrets_path)


def _has_value(context: Context, name: str) -> bool:
    """Whether the environment has what the file does not."""
    try:
        return context.secrets.resolve(f"${name}") is not None
    except (ConfigError, Invalid):
        return False
