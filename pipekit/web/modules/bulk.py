# One act on many modules of the list. Knows ids and the list's address, draws no list.
"""`POST /modules/bulk/run`, `enable`, `disable`, `group`, `delete`, and what the list says of it afterwards."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import FormData

from pipekit import repo
from pipekit.definitions import edit
from pipekit.engine.starting.requests import ask_run
from pipekit.errors import Conflict, Invalid, ModuleBusy, NotFound, PipekitError
from pipekit.http.state import ContextDep, Db
from pipekit.models import Group, Module
from pipekit.repo.names import shorten
from pipekit.web.kit.answers import answer_error, go, wants_json
from pipekit.web.kit.confirm import confirm, get_confirmed
from pipekit.web.kit.forms import FormDep, get_flag, get_list, get_text
from pipekit.web.kit.sessions import Admin, Operator
from pipekit.web.modules.edit import get_list_address

router = APIRouter(include_in_schema=False)

# What is said of an act: of the modules it was done to, and of those that were left as they are.
_WORDS = {
    "run": ("asked to run", "running or waiting already"),
    "enable": ("enabled", "enabled already"),
    "disable": ("disabled", "disabled already"),
    "group": ("put into the group", "in it already"),
    "ungroup": ("taken out of the group", "not in it"),
    "delete": ("deleted", ""),
}


def list_runs_asked(words: Mapping[str, str]) -> list[int]:
    """The first and the last run that an act asked for, by the address it led to; none where it asked for none."""
    found = [words.get(name, "") for name in ("from", "to")]
    return [int(text) for text in found if text.isascii() and text.isdigit() and len(text) <= 18]


def build_notice(words: Mapping[str, str]) -> str:
    """What was done, by the address the act led to; empty for any other."""
    done, left = words.get("done", ""), words.get("left", "")
    if words.get("bulk") not in _WORDS or not all(n.isascii() and n.isdigit() and len(n) < 7 for n in (done, left)):
        return ""
    if int(done) + int(left) == 0:
        return "No module was chosen: tick some first."
    told = zip((int(done), int(left)), _WORDS[words["bulk"]], strict=True)
    return " ".join(f"{_count(number)} {'is' if number == 1 else 'are'} {text}." for number, text in told if number)


def _count(number: int) -> str:
    return f"{number} module" if number == 1 else f"{number} modules"


def _list_chosen(db: repo.State, data: FormData) -> list[Module]:
    """The modules that are ticked and still there, in the order of the list."""
    chosen = dict.fromkeys(text for text in get_list(data, "id") if text.isascii() and text.isdigit())
    known = {str(module.id): module for module in repo.list_modules(db)}
    return [known[text] for text in chosen if text in known]


def _go_back(request: Request, data: FormData, act: str, done: int, left: int, **more: int) -> Response:
    address = get_list_address(data, "/modules")
    joint = "&" if "?" in address else "?"
    return go(request, f"{address}{joint}{urlencode({'bulk': act, 'done': done, 'left': left, **more})}")


@router.post("/modules/bulk/run")
def run(request: Request, db: Db, context: ContextDep, user: Operator, data: FormDep) -> Response:
    """Asks for a run of each chosen module: 202 with their ids for a script. Those that run already are left."""
    dry_run = get_flag(data, "dry_run")
    run_ids, busy = [], []
    for module in _list_chosen(db, data):
        try:
            found = ask_run(db, module, user=user.name, triggered_by=f"user:{user.name}", dry_run=dry_run)
            run_ids.append(found.id)
        except ModuleBusy:
            busy.append(module.name)
    context.wake()
    if wants_json(request):
        return JSONResponse({"run_ids": run_ids, "busy": busy}, 202)
    asked = {"from": min(run_ids), "to": max(run_ids)} if run_ids else {}
    return _go_back(request, data, "run", len(run_ids), len(busy), **asked)


@router.post("/modules/bulk/enable")
def enable(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """Lets groups run the chosen modules."""
    return _switch(request, db, user.name, data, True)


@router.post("/modules/bulk/disable")
def disable(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """Groups skip the chosen modules from now on."""
    return _switch(request, db, user.name, data, False)


def _switch(request: Request, db: repo.State, user: str, data: FormData, enabled: bool) -> Response:
    chosen = _list_chosen(db, data)
    changed = [module for module in chosen if module.enabled != enabled]
    with repo.transaction(db):
        for module in changed:
            edit.update(db, edit.MODULE, user, module.id, enabled=enabled)
    if wants_json(request):
        return JSONResponse({"changed": [module.id for module in changed]})
    act = "enable" if enabled else "disable"
    return _go_back(request, data, act, len(changed), len(chosen) - len(changed))


@router.post("/modules/bulk/group")
def put_in_group(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """Puts the chosen modules at the end of a group, each after the one before."""
    chosen, group = _list_chosen(db, data), _need_group(db, data)
    inside = {member.module_id for member in repo.list_members(db, group.id)}
    added = [module for module in chosen if module.id not in inside]
    with repo.transaction(db):
        for module in added:
            edit.create(db, edit.MEMBER, user.name, group_id=group.id, module_id=module.id, run_order=None)
    if wants_json(request):
        return JSONResponse({"changed": [module.id for module in added]})
    return _go_back(request, data, "group", len(added), len(chosen) - len(added))


@router.post("/modules/bulk/ungroup")
def take_out_of_group(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """Takes the chosen modules out of a group; those that are not in it are left."""
    chosen, group = _list_chosen(db, data), _need_group(db, data)
    ids = {module.id for module in chosen}
    inside = [member for member in repo.list_members(db, group.id) if member.module_id in ids]
    with repo.transaction(db):
        for member in inside:
            edit.delete(db, edit.MEMBER, user.name, member.id)
    gone = {member.module_id for member in inside}
    if wants_json(request):
        return JSONResponse({"changed": sorted(gone)})
    return _go_back(request, data, "ungroup", len(gone), len(chosen) - len(gone))


def _need_group(db: repo.State, data: FormData) -> Group:
    group = _find_group(db, get_text(data, "group_id"))
    if group is None:
        raise Invalid("Choose the group first.", field="group_id", hint="Go back, choose it, and try again.")
    return group


def _find_group(db: repo.State, text: str) -> Group | None:
    try:
        return repo.get_group(db, int(text)) if text.isascii() and text.isdigit() and len(text) <= 18 else None
    except NotFound:
        return None


# -- deleting ----------------------------------------------------------------------------------------------------------


@router.post("/modules/bulk/delete")
def delete(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """Names what goes and asks for it to be typed; then deletes the chosen modules, all of them or none."""
    chosen = _list_chosen(db, data)
    if not chosen:
        return _go_back(request, data, "delete", 0, 0)
    asked = f"delete {_count(len(chosen))}"
    if "confirm" not in data:
        return _confirm(request, db, data, chosen, asked)
    if not get_confirmed(data, asked):
        return _confirm(request, db, data, chosen, asked, problem=f"Type {asked} to go on.", status=422)
    try:
        with repo.transaction(db):
            for module in chosen:
                edit.delete(db, edit.MODULE, user.name, module.id)
    except Conflict as error:
        if wants_json(request):
            return answer_error(request, error)
        return _confirm(request, db, data, chosen, asked, problem=_tell(error), status=409)
    return _go_back(request, data, "delete", len(chosen), 0)


def _tell(error: PipekitError) -> str:
    return f"Nothing was deleted. {error.message} {error.hint}".strip()


def _confirm(
    request: Request,
    db: repo.State,
    data: FormData,
    chosen: Sequence[Module],
    asked: str,
    *,
    problem: str = "",
    status: int = 200,
) -> Response:
    runs = sum(repo.count_runs(db, module.id) for module in chosen)
    tables = shorten([module.dest_table for module in chosen])
    grouped = [module.name for module in chosen if repo.list_groups_of(db, module.id)]
    back = get_list_address(data, "/modules")
    return confirm(
        request,
        crumbs=[("/modules", "Modules")],
        title=f"Delete {_count(len(chosen))}",
        goes=[f"the module {module.name}, with its query, watermarks and hooks" for module in chosen],
        stays=[*([f"their {runs} run records"] if runs else []), f"the tables {tables}"],
        button=f"Delete {_count(len(chosen))}",
        back=back,
        ask=asked,
        problem=problem,
        refusal=f"Nothing can be deleted yet: take {shorten(grouped)} out of their groups first." if grouped else "",
        status=status,
        fields=[("next", back), *(("id", str(module.id)) for module in chosen)],
    )
