# Who is told of what, in a browser: channels, rules, what was told. Knows no run; sends nothing but tests.
"""`/alerts`."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from pipekit import repo
from pipekit.definitions import edit
from pipekit.errors import Invalid, NotFound
from pipekit.http.state import Context, ContextDep, Db
from pipekit.models.alerts import ALERT_EVENTS, CHANNEL_KINDS, Channel, ChannelKind, Rule
from pipekit.models.people import User
from pipekit.repo import alert_channels, alerts
from pipekit.server.alerts.sending import send_test
from pipekit.server.alerts.words import name_subject
from pipekit.web.kit.answers import go
from pipekit.web.kit.clash import check_clash, sign_form
from pipekit.web.kit.confirm import confirm
from pipekit.web.kit.forms import MENDABLE, Form, FormDep, get_list
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Admin, Viewer

router = APIRouter(include_in_schema=False)

SHOWN = 50
KIND_WORDS: dict[ChannelKind, str] = {
    "mail": "Mail, by an SMTP server",
    "webhook": "A web address that gets JSON",
    "apprise": "Slack, Teams and others, by apprise",
}
EVENT_WORDS = {
    "failed": "a module failed",
    "recovered": "it works again",
    "late": "a group did not run by its time, or rows are older than promised",
    "guard": "a check refused a load",
    "drift": "columns are not as they were",
    "ended": "any run ended (for programs)",
}
RULE_ORDER = ("channel_id", "group_id", "module_id", "after_failures", "quiet_from", "quiet_until", "enabled")


@router.get("/alerts")
def show_alerts(request: Request, db: Db, context: ContextDep, user: Viewer) -> Response:
    """The channels and whether they work, the rules, and what was told lately."""
    return _show(request, db, context, user=user)


def _show(
    request: Request, db: repo.State, context: Context, *, user: User, tested: dict[str, str] | None = None
) -> Response:
    channels = alert_channels.list_channels(db)
    return render(
        request,
        "alerts.html",
        channels=channels,
        shown={c.id: c.settings if user.may("admin") else alert_channels.hide_paths(c.settings) for c in channels},
        names={channel.id: channel.name for channel in channels},
        rules=[(rule, _describe_scope(db, rule)) for rule in alert_channels.list_rules(db)],
        told=[(item, name_subject(item)) for item in alerts.list_alerts(db, SHOWN)],
        kind_words=KIND_WORDS,
        tested=tested,
        base=context.config.base_url,
        is_public=bool(context.config.public_url),
    )


def _describe_scope(db: repo.State, rule: Rule) -> str:
    try:
        if rule.group_id is not None:
            return f"the group {repo.get_group(db, rule.group_id).name}"
        return repo.get_module(db, rule.module_id).name if rule.module_id is not None else "everything"
    except NotFound:
        return "nothing any more"


# -- channels ----------------------------------------------------------------------------------------------------------


@router.get("/alerts/channels/new")
def show_new_channel(request: Request, user: Admin) -> Response:
    """The kinds there are, or the form of the one that was chosen."""
    kind = request.query_params.get("kind", "")
    if kind not in CHANNEL_KINDS:
        return render(request, "alert_channel_kinds.html", kind_words=KIND_WORDS)
    return _show_channel(request, kind, Form(values={"enabled": "1"}, order=_order(kind)))


@router.post("/alerts/channels")
def create_channel(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """Makes a channel."""
    kind = str(data.get("kind", ""))
    if kind not in CHANNEL_KINDS:
        raise Invalid(f"A channel is one of {', '.join(CHANNEL_KINDS)}.", field="kind")
    form = Form(order=_order(kind))
    form.take(data)
    try:
        edit.create(db, edit.ALERT_CHANNEL, user.name, kind=kind, **_read_channel(kind, form))
    except MENDABLE as error:
        form.note_error(error, "name")
        return _show_channel(request, kind, form, status=422)
    return go(request, "/alerts")


@router.get("/alerts/channels/{channel_id:int}")
def show_channel(request: Request, db: Db, user: Admin, channel_id: int) -> Response:
    """A channel's form."""
    channel = alert_channels.get_channel(db, channel_id)
    return _show_channel(request, channel.kind, sign_form(_build_channel(channel)), channel=channel)


@router.post("/alerts/channels/{channel_id:int}")
def update_channel(request: Request, db: Db, user: Admin, channel_id: int, data: FormDep) -> Response:
    """Changes a channel; what waits for it is tried at once."""
    channel = alert_channels.get_channel(db, channel_id)
    form = _build_channel(channel)
    form.take(data)
    try:
        with repo.transaction(db):
            kept = _build_channel(alert_channels.get_channel(db, channel_id))
            address = f"/alerts/channels/{channel_id}"
            check_clash(db, form, kept, kinds=("alert channel",), name=channel.name, address=address)
            if not form.problems:
                edit.update(db, edit.ALERT_CHANNEL, user.name, channel_id, **_read_channel(channel.kind, form))
    except MENDABLE as error:
        form.note_error(error, "name")
    if form.problems:
        return _show_channel(request, channel.kind, form, channel=channel, status=form.status)
    return go(request, "/alerts")


@router.post("/alerts/channels/{channel_id:int}/test")
def test_channel(request: Request, db: Db, context: ContextDep, user: Admin, channel_id: int) -> Response:
    """Sends a message, and says how that went."""
    channel = alert_channels.get_channel(db, channel_id)
    problem = send_test(db, channel, context.secrets, context.config.base_url)
    repo.note_audit(db, user=user.name, action="test", kind="alert channel", name=channel.name)
    return _show(request, db, context, user=user, tested={"name": channel.name, "problem": problem})


@router.get("/alerts/channels/{channel_id:int}/delete")
def show_delete_channel(request: Request, db: Db, user: Admin, channel_id: int) -> Response:
    """Names what goes with a channel."""
    channel = alert_channels.get_channel(db, channel_id)
    rules = [rule for rule in alert_channels.list_rules(db) if rule.channel_id == channel_id]
    return confirm(
        request,
        crumbs=[("/alerts", "Alerts")],
        title=f"Delete {channel.name}",
        goes=[f"the channel {channel.name}", f"its {len(rules)} rules and what was told by it"],
        button="Delete channel",
        back="/alerts",
    )


@router.post("/alerts/channels/{channel_id:int}/delete")
def delete_channel(request: Request, db: Db, user: Admin, channel_id: int) -> Response:
    """Deletes a channel."""
    edit.delete(db, edit.ALERT_CHANNEL, user.name, channel_id)
    return go(request, "/alerts")


def _settings(kind: str) -> tuple[str, ...]:
    return (*alert_channels.NEEDED[kind], *alert_channels.OPTIONAL[kind])


def _order(kind: str) -> tuple[str, ...]:
    return ("name", *_settings(kind), "enabled")


def _build_channel(channel: Channel) -> Form:
    values = {"name": channel.name, "enabled": "1" if channel.enabled else "0", **channel.settings}
    return Form(values=values, order=_order(channel.kind))


def _read_channel(kind: str, form: Form) -> dict[str, Any]:
    settings = {name: form.value(name) for name in _settings(kind)}
    return {"name": form.value("name"), "settings": settings, "enabled": form.holds("enabled")}


def _show_channel(
    request: Request, kind: str, form: Form, *, channel: Channel | None = None, status: int = 200
) -> Response:
    values = {"form": form, "kind": kind, "channel": channel, "kind_words": KIND_WORDS}
    return render(request, "alert_channel.html", status, **values, security=alert_channels.SECURITY)


# -- rules -------------------------------------------------------------------------------------------------------------


@router.get("/alerts/rules/new")
def show_new_rule(request: Request, db: Db, user: Admin) -> Response:
    """A form for failures and recoveries of everything, by the first channel."""
    values = {"after_failures": "1", "enabled": "1", "event_failed": "1", "event_recovered": "1", "event_late": "1"}
    values |= {name: request.query_params.get(name, "") for name in ("channel_id", "group_id", "module_id")}
    return _show_rule(request, db, Form(values=values, order=RULE_ORDER))


@router.post("/alerts/rules")
def create_rule(request: Request, db: Db, user: Admin, data: FormDep) -> Response:
    """Makes a rule."""
    form = _take_rule(Form(order=RULE_ORDER), data)
    try:
        channel_id = _read_id(form, "channel_id") or 0
        values = _read_rule(form)
        if not form.problems:
            edit.create(db, edit.ALERT_RULE, user.name, channel_id=channel_id, **values)
    except MENDABLE as error:
        form.note_error(error, "channel_id")
    return _show_rule(request, db, form, status=422) if form.problems else go(request, "/alerts#rules")


@router.get("/alerts/rules/{rule_id:int}")
def show_rule(request: Request, db: Db, user: Admin, rule_id: int) -> Response:
    """A rule's form."""
    rule = alert_channels.get_rule(db, rule_id)
    return _show_rule(request, db, sign_form(_build_rule(rule)), rule=rule)


@router.post("/alerts/rules/{rule_id:int}")
def update_rule(request: Request, db: Db, user: Admin, rule_id: int, data: FormDep) -> Response:
    """Changes a rule; its channel stays."""
    rule = alert_channels.get_rule(db, rule_id)
    form = _take_rule(_build_rule(rule), data)
    try:
        values = _read_rule(form)
        with repo.transaction(db):
            kept = _build_rule(alert_channels.get_rule(db, rule_id))
            name, address = f"rule {rule_id}", f"/alerts/rules/{rule_id}"
            check_clash(db, form, kept, kinds=("alert rule",), name=name, address=address)
            if not form.problems:
                edit.update(db, edit.ALERT_RULE, user.name, rule_id, **values)
    except MENDABLE as error:
        form.note_error(error, "group_id")
    if form.problems:
        return _show_rule(request, db, form, rule=rule, status=form.status)
    return go(request, "/alerts#rules")


@router.post("/alerts/rules/{rule_id:int}/delete")
def delete_rule(request: Request, db: Db, user: Admin, rule_id: int) -> Response:
    """Deletes a rule; it is quickly made again, so nothing asks."""
    edit.delete(db, edit.ALERT_RULE, user.name, rule_id)
    return go(request, "/alerts#rules")


def _build_rule(rule: Rule) -> Form:
    values = {f"event_{event}": "1" if event in rule.events else "0" for event in ALERT_EVENTS}
    plain = ("channel_id", "group_id", "module_id", "after_failures", "quiet_from", "quiet_until")
    values |= {name: str(getattr(rule, name) or "") for name in plain}
    return Form(values={**values, "enabled": "1" if rule.enabled else "0"}, order=RULE_ORDER)


def _take_rule(form: Form, data: FormData) -> Form:
    """Of a box with a hidden 0 before it the last value counts."""
    form.take(data)
    for event in ALERT_EVENTS:
        form.values[f"event_{event}"] = (get_list(data, f"event_{event}") or ["0"])[-1]
    return form


def _read_rule(form: Form) -> dict[str, Any]:
    failures = form.value("after_failures").strip() or "1"
    if not (failures.isascii() and failures.isdecimal()):
        form.note("after_failures", f"This must be a whole number from 1 to {alert_channels.MOST_FAILURES}.")
        failures = "1"
    return {
        "events": [event for event in ALERT_EVENTS if form.holds(f"event_{event}")],
        "group_id": _read_id(form, "group_id"),
        "module_id": _read_id(form, "module_id"),
        "after_failures": int(failures[:9]),
        "quiet_from": form.value("quiet_from").strip() or None,
        "quiet_until": form.value("quiet_until").strip() or None,
        "enabled": form.holds("enabled"),
    }


def _read_id(form: Form, name: str) -> int | None:
    text = form.value(name).strip()
    if text and not (text.isascii() and text.isdecimal() and len(text) < 19):
        form.note(name, "Choose one of the list.")
        return None
    return int(text) if text else None


def _show_rule(
    request: Request, db: repo.State, form: Form, *, rule: Rule | None = None, status: int = 200
) -> Response:
    return render(
        request,
        "alert_rule.html",
        status,
        form=form,
        rule=rule,
        channels=[(item.id, item.name) for item in alert_channels.list_channels(db)],
        groups=[(item.id, item.name) for item in repo.list_groups(db)],
        modules=[(item.id, item.name) for item in repo.list_modules(db)],
        event_words=EVENT_WORDS,
    )
