# Changes that people make to definitions one at a time: checked, written, noted. Knows no request, form or file.
"""`create`, `update` and `delete` for every noun of a definition, each with its audit entry in one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Generic, TypeVar

from pipekit import repo
from pipekit.definitions.versions import keep_versions
from pipekit.drivers import KIND, get_driver
from pipekit.drivers.baddata import check_bad_data, check_query_timeout
from pipekit.drivers.sqltext import strip_query
from pipekit.engine.jars import check_url
from pipekit.engine.variables import check_names, fill_table
from pipekit.errors import Conflict, GroupBusy, Invalid, ModuleBusy
from pipekit.models import Connection, Group, GroupMember, Hook, Module, Schedule, Watermark
from pipekit.models.alerts import Channel, Rule
from pipekit.repo import State, alert_channels

R = TypeVar("R")

# What a run or the scheduler writes is no definition.
_NOT_DEFINED = frozenset(
    {"id", "running", "lease_owner", "lease_expires_at", "fence", "active_from", "last_fired_at"}
    | {"worked_at", "failing_since", "error", "attempts", "next_try_at"}
)


@dataclass(frozen=True, kw_only=True)
class Noun(Generic[R]):
    """A kind of definition: what the repo does with it, how the audit trail calls one, what must hold of it.

    `check` looks at what was written, `check_delete` at what is to go, both inside the transaction. `versioned` says of
    what belongs to a module which one: its versions are kept.
    """

    kind: str
    get: Callable[[State, int], R]
    create: Callable[..., R]
    update: Callable[..., R]
    delete: Callable[[State, int], None]
    name: Callable[[State, R], str]
    check: Callable[[State, R], None] = lambda db, record: None
    check_delete: Callable[[State, R], None] = lambda db, record: None
    versioned: Callable[[R], int] | None = None


def create(db: State, noun: Noun[R], user: str, **values: Any) -> R:
    """Makes one. Raises as the repo's create function, and Invalid for what its driver cannot take."""
    with repo.transaction(db):
        if "module_id" in values and noun.versioned:
            keep_versions(db, user, values["module_id"])
        record = noun.create(db, **values)
        noun.check(db, record)
        if noun.versioned and "module_id" not in values:
            keep_versions(db, user, noun.versioned(record), is_new=True)
        note(db, user, "create", noun, record, build_changes(None, record))
        return record


def update(db: State, noun: Noun[R], user: str, record_id: int, **changes: Any) -> R:
    """Changes some fields; nothing is noted where all stays as it was. Raises as `create`, and NotFound."""
    with repo.transaction(db):
        before = noun.get(db, record_id)
        if noun.versioned:
            keep_versions(db, user, noun.versioned(before))
        record = noun.update(db, record_id, **changes) if changes else before
        noun.check(db, record)
        changed = build_changes(before, record)
        if changed:
            note(db, user, "change", noun, before, changed)
        return record


def delete(db: State, noun: Noun[R], user: str, record_id: int) -> None:
    """Deletes one. Raises NotFound, Conflict with the names of what uses it."""
    with repo.transaction(db):
        record = noun.get(db, record_id)
        noun.check_delete(db, record)
        if noun.versioned and noun.kind != "module":
            keep_versions(db, user, noun.versioned(record))
        note(db, user, "delete", noun, record, build_changes(record, None))
        noun.delete(db, record_id)


def note(db: State, user: str, action: str, noun: Noun[R], record: R, detail: Mapping[str, Any]) -> None:
    """Writes the audit entry of a change."""
    repo.note_audit(db, user=user, action=action, kind=noun.kind, name=noun.name(db, record), detail=detail)


def build_changes(before: object | None, after: object | None) -> dict[str, list[Any]]:
    """`{field: [old, new]}` of two records, of which one may be missing; equal fields are left out."""
    old, new = _values(before), _values(after)
    names = [name for name in {**old, **new} if name not in _NOT_DEFINED]
    return {name: [old.get(name), new.get(name)] for name in names if old.get(name) != new.get(name)}


def _values(record: Any) -> dict[str, Any]:
    return {f.name: _plain(getattr(record, f.name)) for f in fields(record)} if record is not None else {}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    return value


# -- what must hold ----------------------------------------------------------------------------------------------------


def check_connection(db: State, connection: Connection) -> None:
    """Raises Invalid for a kind there is no driver for, and for a URL its driver does not take."""
    check_url(db, connection.driver, connection.jdbc_url)


def check_watermark(db: State, watermark: Watermark) -> None:
    """Raises Invalid for a name that is a variable of the module's source."""
    check_names([watermark.name], repo.get_connection(db, repo.get_module(db, watermark.module_id).source_id))


def check_module(db: State, module: Module) -> None:
    """Raises Invalid for a query that is none, a table or type its dest's kind cannot have, names that stand twice.

    A watermark and a variable of the source may not have one name either.
    """
    _at("source_query", strip_query, module.source_query)
    source, dest = repo.get_connection(db, module.source_id), repo.get_connection(db, module.dest_id)
    check_names([mark.name for mark in repo.list_watermarks(db, module.id)], source)
    if KIND.match(source.driver):
        check_bad_data(get_driver(source.driver), module.bad_data)
        check_query_timeout(get_driver(source.driver), module.query_timeout_s)
    if KIND.match(dest.driver):
        driver = get_driver(dest.driver)
        _at("dest_table", driver.parse_table, fill_table(dest, module.dest_table))
        for column in module.columns:
            if column.dest_type:
                _at("columns", driver.check_type, column.dest_type)
    _check_once("merge_key", "A column stands twice in the merge key", module.merge_key)
    for name in ("id", "source_name", "dest_name"):
        _check_once("columns", f"A column's {name} stands twice", [getattr(c, name) for c in module.columns])


def _at(field: str, check: Callable[[str], object], text: str) -> None:
    try:
        check(text)
    except Invalid as error:
        raise Invalid(error.message, field=field, hint=error.hint) from error


def _check_once(field: str, message: str, names: Any) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise Invalid(f"{message}: {name!r}.", field=field)
        seen.add(name)


def _check_module_unused(db: State, module: Module) -> None:
    groups = [group.name for group in repo.list_groups_of(db, module.id)]
    if groups:
        raise Conflict(
            f"The module {module.name!r} is in {', '.join(groups)}.", hint="Take it out of these groups first."
        )
    waiting = next((run for run in repo.list_live_runs(db) if run.module_id == module.id), None)
    if waiting:
        raise ModuleBusy(
            f"The module {module.name!r} has a run that is {waiting.status}: run {waiting.id}.",
            hint="Wait for it or cancel it.",
        )


def _check_group_idle(db: State, group: Group) -> None:
    alive = repo.find_live_group_run(db, group.id)
    if alive:
        raise GroupBusy(f"The group {group.name!r} is running: group run {alive.id}.", hint="Wait for it or cancel it.")


# -- the nouns ---------------------------------------------------------------------------------------------------------


def _own_name(db: State, record: Connection | Module | Group | Channel) -> str:
    return record.name


def _watermark_name(db: State, watermark: Watermark) -> str:
    return f"{repo.get_module(db, watermark.module_id).name}: {watermark.name}"


def _hook_name(db: State, hook: Hook) -> str:
    return f"{repo.get_module(db, hook.module_id).name}: {hook.id}"


def _member_name(db: State, member: GroupMember) -> str:
    told = ", verify" if member.verify else ""
    return f"{repo.get_group(db, member.group_id).name}: {repo.get_module(db, member.module_id).name}{told}"


def _schedule_name(db: State, schedule: Schedule) -> str:
    return f"{repo.get_group(db, schedule.group_id).name}: {schedule.cron}"


def _rule_name(db: State, rule: Rule) -> str:
    return f"{alert_channels.get_channel(db, rule.channel_id).name}: {rule.id}"


CONNECTION = Noun[Connection](
    kind="connection",
    get=repo.get_connection,
    create=repo.create_connection,
    update=repo.update_connection,
    delete=repo.delete_connection,
    name=_own_name,
    check=check_connection,
)
MODULE = Noun[Module](
    kind="module",
    get=repo.get_module,
    create=repo.create_module,
    update=repo.update_module,
    delete=repo.delete_module,
    name=_own_name,
    check=check_module,
    check_delete=_check_module_unused,
    versioned=lambda module: module.id,
)
WATERMARK = Noun[Watermark](
    kind="watermark",
    get=repo.get_watermark,
    create=repo.create_watermark,
    update=repo.update_watermark,
    delete=repo.delete_watermark,
    name=_watermark_name,
    check=check_watermark,
    versioned=lambda watermark: watermark.module_id,
)
HOOK = Noun[Hook](
    kind="hook",
    get=repo.get_hook,
    create=repo.create_hook,
    update=repo.update_hook,
    delete=repo.delete_hook,
    name=_hook_name,
    versioned=lambda hook: hook.module_id,
)
GROUP = Noun[Group](
    kind="group",
    get=repo.get_group,
    create=repo.create_group,
    update=repo.update_group,
    delete=repo.delete_group,
    name=_own_name,
    check_delete=_check_group_idle,
)
MEMBER = Noun[GroupMember](
    kind="member",
    get=repo.get_member,
    create=repo.create_member,
    update=repo.update_member,
    delete=repo.delete_member,
    name=_member_name,
)
SCHEDULE = Noun[Schedule](
    kind="schedule",
    get=repo.get_schedule,
    create=repo.create_schedule,
    update=repo.update_schedule,
    delete=repo.delete_schedule,
    name=_schedule_name,
)
ALERT_CHANNEL = Noun[Channel](
    kind="alert channel",
    get=alert_channels.get_channel,
    create=alert_channels.create_channel,
    update=alert_channels.update_channel,
    delete=alert_channels.delete_channel,
    name=_own_name,
)
ALERT_RULE = Noun[Rule](
    kind="alert rule",
    get=alert_channels.get_rule,
    create=alert_channels.create_rule,
    update=alert_channels.update_rule,
    delete=alert_channels.delete_rule,
    name=_rule_name,
)
