# What is posted to a group's members and schedules. Knows the group's page, draws none of its own.
"""`/groups/{id}/members`, `/groups/{id}/schedules`, and the plain words of an expression being typed."""

from contextlib import suppress

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.cron import describe
from pipekit.definitions import edit
from pipekit.errors import NotFound
from pipekit.http.state import Db
from pipekit.models import Group, GroupMember, Schedule
from pipekit.web.groups.schedule_words import build_schedule_view, list_form_values
from pipekit.web.groups.show import build_member_form, get_usual_s, show_group
from pipekit.web.kit.answers import go
from pipekit.web.kit.clash import check_clash, refuse_clash
from pipekit.web.kit.confirm import confirm
from pipekit.web.kit.forms import (
    MENDABLE,
    Form,
    FormDep,
    FormRefused,
    get_flag,
    get_list,
    get_rows,
    get_text,
    refuse_problems,
)
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin, Viewer

router = APIRouter(include_in_schema=False)

HIGHEST_ORDER = 1_000_000


@router.post("/groups/{group_id:int}/members")
def save_members(request: Request, db: Db, user: Admin, group_id: int, data: FormDep) -> Response:
    """Puts members into the order that was sent, takes some out, adds one: all of it or nothing."""
    group = repo.get_group(db, group_id)
    ticked = {name: set(get_list(data, f"member_{name}_id[]")) - {""} for name in ("deleted", "verify")}
    rows = [
        {**row, **{name: "1" if row["id"] in ids else "" for name, ids in ticked.items()}}
        for row in get_rows(data, "member", ("id", "module_id", "order"))
    ]
    form = Form(rows={"member": rows}, order=("add_module_id", "add_order", "add_verify"))
    form.take(data)
    try:
        _save_members(db, user.name, group, form)
    except FormRefused:
        return show_group(request, db, group, members=form, status=form.status)
    return go(request, f"/groups/{group_id}#members")


def _save_members(db: repo.State, user: str, group: Group, form: Form) -> None:
    with repo.transaction(db):
        kept = build_member_form(db, group.id)
        check_clash(db, form, kept, kinds=("group", "member"), name=group.name, address=f"/groups/{group.id}")
        known = {str(member.id): member for member in repo.list_members(db, group.id)}
        for place, row in enumerate(form.rows["member"]):
            if row["id"] not in known:
                continue
            if row["deleted"]:
                edit.delete(db, edit.MEMBER, user, known[row["id"]].id)
            else:
                _change_member(db, user, known[row["id"]], form, place)
        if form.value("add_module_id"):
            _add_member(db, user, group.id, form)
        refuse_problems(form)


def _change_member(db: repo.State, user: str, member: GroupMember, form: Form, place: int) -> None:
    row = form.rows["member"][place]
    order = _read_order(form, f"member.{place}.order", row["order"])
    try:
        edit.update(db, edit.MEMBER, user, member.id, run_order=order, verify=bool(row["verify"]))
    except MENDABLE as error:
        form.note(f"member.{place}.order", error.message)


def _add_member(db: repo.State, user: str, group_id: int, form: Form) -> None:
    text, order = form.value("add_module_id"), form.value("add_order").strip()
    place = _read_order(form, "add_order", order) if order else None
    try:
        module_id = int(text) if text.isdecimal() else 0
        values = {"group_id": group_id, "module_id": module_id, "run_order": place}
        edit.create(db, edit.MEMBER, user, **values, verify=form.value("add_verify") == "1")
    except MENDABLE as error:
        form.note_error(error, "add_module_id", {"name": "add_module_id"})


def _read_order(form: Form, field: str, text: str) -> int:
    text = text.strip()
    if text.isdecimal() and text.isascii() and 1 <= int(text[:9]) <= HIGHEST_ORDER:
        return int(text)
    form.note(field, f"This must be a whole number from 1 to {HIGHEST_ORDER:,}.")
    return 1


# -- schedules ---------------------------------------------------------------------------------------------------------


@router.post("/groups/{group_id:int}/schedules")
def create_schedule(request: Request, db: Db, user: Admin, group_id: int, data: FormDep) -> Response:
    """Gives the group a schedule; one that never comes is refused."""
    group = repo.get_group(db, group_id)
    form = Form(order=("cron",))
    form.take(data)
    form.need("cron", "Write when: five fields, such as 0 4 * * * for every day at 04:00.")
    try:
        if not form.problems:
            catch_up = get_flag(data, "catch_up", True)
            values = {"cron": form.value("cron"), "catch_up": catch_up}
            edit.create(db, edit.SCHEDULE, user.name, group_id=group_id, **values)
    except MENDABLE as error:
        form.note_error(error, "cron", {"name": "cron"})
    if form.problems:
        return show_group(request, db, group, schedules=form, status=422)
    return go(request, f"/groups/{group_id}#schedules")


@router.post("/groups/{group_id:int}/schedules/{schedule_id:int}")
def update_schedule(request: Request, db: Db, user: Admin, group_id: int, schedule_id: int, data: FormDep) -> Response:
    """Changes when, whether it fires, whether it makes up for missed times."""
    group = repo.get_group(db, group_id)
    schedule = _get_schedule(db, group, schedule_id)
    refuse_clash(data, f"The schedule {schedule.cron}", *list_form_values(schedule))
    form = Form(values={"cron": schedule.cron}, order=(f"cron-{schedule_id}",))
    form.take(data)
    try:
        flags = {name: get_flag(data, name, getattr(schedule, name)) for name in ("enabled", "catch_up")}
        cron = get_text(data, "cron", schedule.cron)
        edit.update(db, edit.SCHEDULE, user.name, schedule_id, cron=cron, **flags)
    except MENDABLE as error:
        form.note_error(error, f"cron-{schedule_id}", {"cron": f"cron-{schedule_id}", "name": f"cron-{schedule_id}"})
        form.values = {f"cron-{schedule_id}": get_text(data, "cron", schedule.cron), "catch_up": "1"}
        return show_group(request, db, group, schedules=form, status=422)
    return go(request, f"/groups/{group_id}#schedules")


@router.get("/groups/{group_id:int}/schedules/{schedule_id:int}/delete")
def show_delete_schedule(request: Request, db: Db, user: Admin, group_id: int, schedule_id: int) -> Response:
    """Names what goes with a schedule."""
    group = repo.get_group(db, group_id)
    schedule = _get_schedule(db, group, schedule_id)
    fires = len(repo.list_fires(db, schedule_id, limit=1000))
    return confirm(
        request,
        crumbs=[("/groups", "Groups"), (f"/groups/{group_id}", group.name)],
        title=f"Delete the schedule {schedule.cron}",
        goes=[f"the schedule {schedule.cron}: {describe(schedule.cron)}", f"the record of its {fires} fires"],
        stays=["the group, and the runs that it started"],
        button=f"Delete {schedule.cron}",
        back=f"/groups/{group_id}#schedules",
    )


@router.post("/groups/{group_id:int}/schedules/{schedule_id:int}/delete")
def delete_schedule(request: Request, db: Db, user: Admin, group_id: int, schedule_id: int) -> Response:
    """Deletes a schedule with the record of its fires."""
    schedule = _get_schedule(db, repo.get_group(db, group_id), schedule_id)
    edit.delete(db, edit.SCHEDULE, user.name, schedule.id)
    return go(request, f"/groups/{group_id}#schedules")


def _get_schedule(db: repo.State, group: Group, schedule_id: int) -> Schedule:
    schedule = repo.get_schedule(db, schedule_id)
    if schedule.group_id != group.id:
        raise NotFound(f"The group {group.name!r} has no such schedule.")
    return schedule


@router.get("/groups/schedule-words")
def show_schedule_words(request: Request, db: Db, user: Viewer) -> Response:
    """A fragment: how an expression reads, when it comes next, and what is wrong with it."""
    cron = request.query_params.get("cron", "").strip()
    usual_s = None
    with suppress(NotFound, ValueError):
        group_id = int(request.query_params.get("group", ""))
        usual_s = get_usual_s(repo.list_group_runs(db, group_id=repo.get_group(db, group_id).id, limit=10))
    view = build_schedule_view(cron, usual_s=usual_s) if cron else None
    return render(request, "_schedule_words.html", view=view)
