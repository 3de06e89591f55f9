# Groups in a browser: list, page, settings, running, pausing. Members and schedules are posted in edit.py.
"""`/groups` and `/groups/{id}`."""

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from statistics import median
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from markupsafe import Markup

from pipekit import repo
from pipekit.definitions import edit
from pipekit.engine.starting.requests import ask_group_pause, ask_group_run
from pipekit.errors import Conflict
from pipekit.http.state import ContextDep, Db
from pipekit.models import Group, GroupFields, GroupRun
from pipekit.repo import pages
from pipekit.repo.pages import ModuleName
from pipekit.web.groups.schedule_words import ScheduleView, build_schedule_view
from pipekit.web.kit.answers import answer_error, go, wants_json
from pipekit.web.kit.clash import check_clash, sign_form
from pipekit.web.kit.confirm import confirm, get_confirmed
from pipekit.web.kit.forms import MENDABLE, Form, FormDep, get_flag
from pipekit.web.kit.render import get_moment, render, render_piece
from pipekit.web.kit.sessions import Admin, Operator, Viewer

router = APIRouter(include_in_schema=False)

ORDER = ("name", "parallel", "heartbeat", "enabled")
SHOWN_RUNS = 10
# A module may stand in a group twice: to be run, and to be verified.
BOTH = 2


@router.get("/groups")
def show_list(request: Request, context: ContextDep, user: Viewer) -> Response:
    """Every group with its schedules in plain words and its latest run."""
    return render(request, "groups.html", lines=context.memory.recall(("groups", get_moment()), _draw_lines))


def _draw_lines(db: repo.State) -> Markup:
    lines = [
        (item, [build_schedule_view(schedule, count=1) for schedule in item.schedules])
        for item in repo.list_group_overviews(db)
    ]
    return render_piece("_group_lines.html", lines=lines)


@router.get("/groups/new")
def show_new(request: Request, user: Admin) -> Response:
    """An empty form."""
    return _show_form(request, Form(values={"parallel": "1", "enabled": "1"}, order=ORDER))


@router.post("/groups")
def create(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """Makes a group; its members and schedules are added on its page."""
    form = Form(values={"parallel": "1", "enabled": "1"}, order=ORDER)
    form.take(data)
    try:
        values = _read(form)
        made = edit.create(db, edit.GROUP, user.name, **values) if not form.problems else None
    except MENDABLE as error:
        form.note_error(error, "name")
        made = None
    return go(request, f"/groups/{made.id}") if made else _show_form(request, form, status=422)


@router.get("/groups/{group_id:int}")
def show(request: Request, db: Db, user: Viewer, group_id: int) -> Response:
    """A group: its members in order, its schedules, its latest runs."""
    return show_group(request, db, repo.get_group(db, group_id))


@router.get("/groups/{group_id:int}/edit")
def show_edit(request: Request, db: Db, user: Admin, group_id: int) -> Response:
    """A group's settings."""
    group = repo.get_group(db, group_id)
    return _show_form(request, sign_form(_build_form(group)), group=group)


@router.post("/groups/{group_id:int}")
def update(request: Request, db: Db, user: Admin, group_id: int, data: FormDep) -> Response:
    """Changes a group's settings; a group run under way keeps how many run side by side."""
    group = repo.get_group(db, group_id)
    form = _build_form(group)
    form.take(data)
    try:
        values = _read(form)
        with repo.transaction(db):
            kept = _build_form(repo.get_group(db, group_id))
            name = kept.value("name")
            check_clash(db, form, kept, kinds=("group",), name=name, address=f"/groups/{group_id}")
            if not form.problems:
                edit.update(db, edit.GROUP, user.name, group_id, **values)
    except MENDABLE as error:
        form.note_error(error, "name")
    if form.problems:
        return _show_form(request, form, group=group, status=form.status)
    return go(request, f"/groups/{group_id}")


def _build_form(group: Group) -> Form:
    values = {"name": group.name, "parallel": str(group.parallel), "enabled": "1" if group.enabled else "0"}
    values["heartbeat"] = group.heartbeat
    return Form(values=values, order=ORDER)


def _read(form: Form) -> dict[str, Any]:
    return {
        "name": form.need("name", "Give the group a name."),
        "parallel": form.read_told("parallel", GroupFields) or 1,
        "heartbeat": form.value("heartbeat").strip(),
        "enabled": form.holds("enabled"),
    }


def _show_form(request: Request, form: Form, *, group: Group | None = None, status: int = 200) -> Response:
    return render(request, "group_form.html", status, form=form, group=group)


def show_group(
    request: Request,
    db: repo.State,
    group: Group,
    *,
    members: Form | None = None,
    schedules: Form | None = None,
    problem: str = "",
    status: int = 200,
) -> Response:
    """A group's page, with what could not be kept of its members or schedules beside its fields."""
    modules = pages.list_module_names(db)
    places = Counter(member.module_id for member in repo.list_members(db, group.id))
    members = members or sign_form(build_member_form(db, group.id))
    chosen = members.value("add_module_id")
    others = [_draw_option(module, str(module.id) == chosen) for module in modules if places[module.id] < BOTH]
    by_id = {str(module.id): module for module in modules}
    runs = repo.list_group_runs(db, group_id=group.id, limit=SHOWN_RUNS)
    usual_s = get_usual_s(runs)
    kept = repo.list_schedules(db, group.id)
    views = [build_schedule_view(item, usual_s=usual_s) for item in kept]
    return render(
        request,
        "group.html",
        status,
        group=group,
        members=members,
        by_id=by_id,
        steps=_list_steps(members, by_id),
        others=Markup("".join(others)),
        schedules=views,
        schedule_form=schedules or Form(values={"catch_up": "1"}, order=("cron",)),
        usual_s=usual_s,
        live=repo.find_live_group_run(db, group.id),
        lines=[(run, get_took_s(run)) for run in runs],
        fires=repo.list_due_fires(db, [item.id for item in kept], SHOWN_RUNS),
        problem=problem,
    )


@lru_cache(maxsize=4000)
def _draw_option(module: ModuleName, is_chosen: bool) -> Markup:
    """Kept: five hundred of them are most of what a group's page costs."""
    selected = Markup(" selected") if is_chosen else ""
    return Markup('<option value="{}"{}>{}</option>').format(module.id, selected, module.name)


def build_member_form(db: repo.State, group_id: int) -> Form:
    """The members as rows, in the order they run."""
    rows = [
        {
            "id": str(m.id),
            "module_id": str(m.module_id),
            "order": str(m.run_order),
            "verify": "1" if m.verify else "",
            "deleted": "",
        }
        for m in repo.list_members(db, group_id)
    ]
    return Form(rows={"member": rows})


def _list_steps(form: Form, by_id: Mapping[str, ModuleName]) -> list[list[str]]:
    """The members' names place by place: those of one place may run side by side."""
    steps: dict[str, list[str]] = {}
    for row in form.rows["member"]:
        module = by_id.get(row["module_id"])
        name = f"{module.name if module else '-'}{', verify' if row['verify'] else ''}"
        steps.setdefault(row["order"].strip(), []).append(name)
    return list(steps.values())


def get_took_s(run: GroupRun) -> float | None:
    """Seconds from start to finish; None while it runs."""
    return ScheduleView.seconds_between(run.started_at, run.finished_at)


def get_usual_s(runs: list[GroupRun]) -> float | None:
    """How long a group's runs take: the middle one of those that were good; None when there is none."""
    took = [seconds for run in runs if run.status == "success" and (seconds := get_took_s(run)) is not None]
    return median(took) if took else None


# -- deleting, running, pausing ----------------------------------------------------------------------------------------


@router.get("/groups/{group_id:int}/delete")
def show_delete(request: Request, db: Db, user: Admin, group_id: int) -> Response:
    """Names what goes and what stays, and asks for the name."""
    return _confirm_delete(request, db, repo.get_group(db, group_id))


@router.post("/groups/{group_id:int}/delete")
def delete(request: Request, db: Db, user: Admin, group_id: int, data: FormDep) -> Response:
    """Deletes a group with its places and schedules, once its name was typed."""
    group = repo.get_group(db, group_id)
    if not get_confirmed(data, group.name):
        return _confirm_delete(request, db, group, f"Type {group.name} to delete it.")
    try:
        edit.delete(db, edit.GROUP, user.name, group_id)
    except Conflict as error:
        return _confirm_delete(request, db, group, f"{error.message} {error.hint}".strip(), status=409)
    return go(request, "/groups")


def _confirm_delete(
    request: Request, db: repo.State, group: Group, problem: str = "", *, status: int | None = None
) -> Response:
    members, schedules = repo.list_members(db, group.id), repo.list_schedules(db, group.id)
    goes = [f"the order of its {len(members)} modules"] if members else [f"the group {group.name}, which is empty"]
    goes += [f"its schedule {schedule.cron}, with the record of its fires" for schedule in schedules]
    runs = repo.count_group_runs(db, group.id)
    return confirm(
        request,
        crumbs=[("/groups", "Groups"), (f"/groups/{group.id}", group.name)],
        title=f"Delete the group {group.name}",
        goes=goes,
        stays=["the modules themselves", f"its {runs:,} group runs on record"],
        button=f"Delete {group.name}",
        back=f"/groups/{group.id}",
        ask=group.name,
        problem=problem,
        status=status or (422 if problem else 200),
    )


@router.post("/groups/{group_id:int}/run")
def run(request: Request, db: Db, context: ContextDep, user: Operator, group_id: int, data: FormDep) -> Response:
    """Asks for a run of every enabled member and answers at once; 409 when the group runs or is paused."""
    group = repo.get_group(db, group_id)
    try:
        group_run = ask_group_run(db, group, user=user.name, dry_run=get_flag(data, "dry_run"))
    except Conflict as error:
        if wants_json(request):
            return answer_error(request, error)
        return show_group(request, db, group, problem=f"{error.message} {error.hint}".strip(), status=409)
    context.wake()
    if wants_json(request):
        return JSONResponse({"group_run_id": group_run.id}, 202)
    return go(request, f"/group-runs/{group_run.id}")


@router.post("/groups/{group_id:int}/pause")
def pause(request: Request, db: Db, user: Operator, group_id: int) -> Response:
    """Holds back everything the group would start; what runs goes on."""
    ask_group_pause(db, repo.get_group(db, group_id), True, user=user.name)
    return go(request, f"/groups/{group_id}")


@router.post("/groups/{group_id:int}/resume")
def resume(request: Request, db: Db, context: ContextDep, user: Operator, group_id: int) -> Response:
    """Lets the group go on."""
    ask_group_pause(db, repo.get_group(db, group_id), False, user=user.name)
    context.wake()
    return go(request, f"/groups/{group_id}")
