# Other people's accounts, for admins. One's own is in account.py.
"""`/users`."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.errors import Conflict
from pipekit.http.state import Db
from pipekit.models.people import ROLES, User
from pipekit.passwords import hash_password
from pipekit.web.kit.answers import go
from pipekit.web.kit.clash import refuse_clash, sign_values
from pipekit.web.kit.confirm import confirm
from pipekit.web.kit.forms import MENDABLE, Form, FormDep, get_flag, get_text
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin

router = APIRouter(include_in_schema=False)

ORDER = ("name", "role", "password", "again")
ROLE_WORDS = {
    "viewer": "may look at everything",
    "operator": "may also run, cancel and pause",
    "admin": "may also define, and so run any SQL; keeps secrets and manages users",
}


@router.get("/users")
def show_list(request: Request, db: Db, user: Admin) -> Response:
    """Everybody, and the form for one more."""
    return _show(request, db, Form(values={"role": "viewer"}))


@router.post("/users")
def create(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """Makes a user with a first password."""
    form = Form(values={name: get_text(data, name) for name in ("name", "role")}, order=ORDER)
    form.need("name", "Give the user a name.")
    password = read_new_password(form, data, form.value("name"))
    try:
        if not form.problems:
            with repo.transaction(db):
                role: Any = form.value("role")
                made = repo.create_user(db, name=form.value("name"), password_hash=password, role=role)
                _note(db, user, "create", made, {"role": [None, made.role]})
    except MENDABLE as error:
        form.note_error(error, "name")
    return _show(request, db, form, status=422) if form.problems else go(request, "/users")


def read_new_password(form: Form, data: FormDep, name: str) -> str:
    """The hash of a password that was typed twice; `""`, with a problem noted, when it cannot be kept."""
    password = get_text(data, "password")
    if password != get_text(data, "again"):
        form.note("again", "The two passwords differ.")
        return ""
    try:
        return hash_password(password, name=name)
    except MENDABLE as error:
        form.note_error(error, "password")
        return ""


@router.post("/users/{user_id:int}")
def update(request: Request, db: Db, user: Admin, user_id: int, data: FormDep) -> Response:
    """Changes another user's role, or whether the login works; ends that user's sessions."""
    before = _get_other(db, user, user_id)
    refuse_clash(data, f"The user {before.name}", before.role, before.enabled)
    changes = {"role": get_text(data, "role", before.role), "enabled": get_flag(data, "enabled", before.enabled)}
    detail = {name: [getattr(before, name), value] for name, value in changes.items() if getattr(before, name) != value}
    if detail:
        with repo.transaction(db):
            repo.update_user(db, user_id, **{name: changes[name] for name in detail})
            _note(db, user, "change", before, detail)
    return go(request, "/users")


@router.get("/users/{user_id:int}/password")
def show_password(request: Request, db: Db, user: Admin, user_id: int) -> Response:
    """The form for another user's new password."""
    return render(request, "user_password.html", person=_get_other(db, user, user_id), form=Form(order=ORDER[2:]))


@router.post("/users/{user_id:int}/password")
def reset_password(request: Request, db: Db, user: Admin, user_id: int, data: FormDep) -> Response:
    """Gives another user a new password; ends that user's sessions and tokens."""
    before = _get_other(db, user, user_id)
    form = Form(order=ORDER[2:])
    password_hash = read_new_password(form, data, before.name)
    if form.problems:
        return render(request, "user_password.html", 422, person=before, form=form)
    with repo.transaction(db):
        detail = repo.describe_new_password(db, user_id)
        repo.update_user(db, user_id, password_hash=password_hash)
        _note(db, user, "change", before, detail)
    return go(request, "/users")


@router.get("/users/{user_id:int}/delete")
def show_delete(request: Request, db: Db, user: Admin, user_id: int) -> Response:
    """Names what goes with a user."""
    return _confirm_delete(request, db, _get_other(db, user, user_id))


@router.post("/users/{user_id:int}/delete")
def delete(request: Request, db: Db, user: Admin, user_id: int) -> Response:
    """Deletes another user with sessions and tokens."""
    gone = _get_other(db, user, user_id)
    with repo.transaction(db):
        repo.delete_user(db, user_id)
        _note(db, user, "delete", gone, {"role": [gone.role, None]})
    return go(request, "/users")


def _confirm_delete(request: Request, db: repo.State, person: User) -> Response:
    tokens = repo.list_tokens(db, person.id)
    goes = [f"the login of {person.name}, and every session that is open"]
    goes += [f"the token {token.name}" for token in tokens]
    return confirm(
        request,
        crumbs=[("/users", "Users")],
        title=f"Delete the user {person.name}",
        goes=goes,
        stays=["what the audit trail says of them, and the runs they started"],
        button=f"Delete {person.name}",
        back="/users",
    )


def _get_other(db: repo.State, user: User, user_id: int) -> User:
    """Nobody locks himself out by mistake, or changes his password without typing the old one."""
    if user.id == user_id:
        raise Conflict("Your own user is changed by another admin.", hint="Your password is changed under Account.")
    return repo.get_user(db, user_id)


def _note(db: repo.State, user: User, action: str, person: User, detail: dict[str, Any]) -> None:
    repo.note_audit(db, user=user.name, action=action, kind="user", name=person.name, detail=detail)


def _show(request: Request, db: repo.State, form: Form, *, status: int = 200) -> Response:
    users = repo.list_users(db)
    seen = {person.id: sign_values(person.role, person.enabled) for person in users}
    return render(request, "users.html", status, users=users, form=form, seen=seen, roles=ROLES, words=ROLE_WORDS)
