# One's own account: password and tokens. Knows nobody else's.
"""`/account`."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.errors import NotFound, TooMany, Unauthorized
from pipekit.http.auth import confirm_password
from pipekit.http.state import Db
from pipekit.models.people import ROLES, Token, User, as_role, limit_role
from pipekit.web.kit.answers import go
from pipekit.web.kit.confirm import confirm
from pipekit.web.kit.forms import MENDABLE, Form, FormDep, get_text
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Viewer, set_session_cookie
from pipekit.web.users import ROLE_WORDS, read_new_password

router = APIRouter(include_in_schema=False)

TOKEN_ORDER = ("token_name", "role", "days")
DAYS = ((30, "30 days"), (90, "90 days"), (365, "a year"), (3650, "ten years"))
PASSWORD_ORDER = ("current", "password", "again")


@router.get("/account")
def show(request: Request, db: Db, user: Viewer) -> Response:
    """Who one is, the form for a new password, one's tokens."""
    return _show(request, db, user)


@router.post("/account/password")
def change_password(request: Request, db: Db, user: Viewer, data: FormDep) -> Response:
    """Changes one's password; every session ends, and this browser gets a new one."""
    form = Form(order=PASSWORD_ORDER)
    try:
        confirm_password(user, get_text(data, "current"))
    except Unauthorized:
        form.note("current", "This is not your password.")
    except TooMany as error:
        form.note("current", f"{error.message} {error.hint}")
    password_hash = "" if form.problems else read_new_password(form, data, user.name)
    if form.problems:
        return _show(request, db, user, password=form, status=422)
    with repo.transaction(db):
        detail = repo.describe_new_password(db, user.id)
        repo.update_user(db, user.id, password_hash=password_hash)
        repo.note_audit(db, user=user.name, action="change", kind="user", name=user.name, detail=detail)
    answer = go(request, "/account?changed=1")
    set_session_cookie(request, answer, repo.open_session(db, user.id))
    return answer


@router.post("/account/tokens")
def create_token(request: Request, db: Db, user: Viewer, data: FormDep) -> Response:
    """Makes a token; its value is in this answer and nowhere else."""
    values = {name: get_text(data, name, default) for name, default in _new_token(user).items()}
    form = Form(values=values, order=TOKEN_ORDER)
    form.need("token_name", "Give the token a name.")
    days = form.value("days")
    value = ""
    try:
        if not form.problems:
            with repo.transaction(db):
                name, role = form.value("token_name").strip(), as_role(form.value("role"))
                value = repo.create_token(db, user.id, name, role=role, days=int(days) if days.isdecimal() else 0)
                detail = {"role": [None, role]}
                repo.note_audit(db, user=user.name, action="create", kind="token", name=name, detail=detail)
    except MENDABLE as error:
        form.note_error(error, "token_name", {"name": "token_name"})
    if form.problems:
        return _show(request, db, user, token=form, status=422)
    return _show(request, db, user, value=value, status=201)


@router.get("/account/tokens/{token_id:int}/delete")
def show_delete_token(request: Request, db: Db, user: Viewer, token_id: int) -> Response:
    """Names what stops working."""
    token = _get_token(db, user, token_id)
    return confirm(
        request,
        crumbs=[("/account", "Account")],
        title=f"Revoke the token {token.name}",
        goes=[f"the token {token.name}: scripts that use it are refused from now on"],
        button=f"Revoke {token.name}",
        back="/account",
    )


@router.post("/account/tokens/{token_id:int}/delete")
def delete_token(request: Request, db: Db, user: Viewer, token_id: int) -> Response:
    """Revokes one of one's tokens."""
    with repo.transaction(db):
        token = _get_token(db, user, token_id)
        repo.delete_token(db, user.id, token.id)
        repo.note_audit(db, user=user.name, action="delete", kind="token", name=token.name)
    return go(request, "/account")


def _new_token(user: User) -> dict[str, str]:
    """The form for a token before anything is typed."""
    return {"token_name": "", "role": user.role, "days": str(repo.USUAL_DAYS)}


def _get_token(db: repo.State, user: User, token_id: int) -> Token:
    found = next((token for token in repo.list_tokens(db, user.id) if token.id == token_id), None)
    if found is None:
        raise NotFound(f"You have no token with id {token_id}.")
    return found


def _show(
    request: Request,
    db: repo.State,
    user: User,
    *,
    password: Form | None = None,
    token: Form | None = None,
    value: str = "",
    status: int = 200,
) -> Response:
    return render(
        request,
        "account.html",
        status,
        password=password or Form(),
        token=token or Form(values=_new_token(user)),
        tokens=[(item, limit_role(item.role, user.role)) for item in repo.list_tokens(db, user.id)],
        roles=[(role, f"{role}: {ROLE_WORDS[role]}") for role in ROLES if user.may(role)],
        days=DAYS,
        now=repo.now(),
        value=value,
        words=[ROLE_WORDS[role] for role in ROLES if user.may(role)],
        changed="changed" in request.query_params,
    )
