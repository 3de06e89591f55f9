# Requests and responses that define things. Knows the records they are made from, no route.
"""Models of connections, modules, watermarks, hooks, groups, members, schedules, users and tokens."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints

from pipekit import models
from pipekit.api.bodies import Answer, Body, Id, Name, Short, Text, filled, partial
from pipekit.cron import describe, next_times
from pipekit.models import Column, ConnectionFields, GroupFields, GroupMember, Guards, Module, ModuleFields, Schedule
from pipekit.models.people import Role
from pipekit.repo import MOST_COLUMNS, MOST_DAYS, USUAL_DAYS

# -- connections -------------------------------------------------------------------------------------------------------


@filled(ConnectionFields)
class ConnectionNew(Body):
    """A connection to make."""

    name: Name = Field(description="What it is called, letter case aside unique.")


@partial
class ConnectionChange(ConnectionNew):
    """Fields of a connection to change; what is left out stays."""


@filled(ConnectionFields)
class ConnectionAnswer(Answer):
    """A named database. `password` is the reference $NAME."""

    id: int


# -- modules -----------------------------------------------------------------------------------------------------------


@filled(Column)
class ColumnFields(Body):
    """How a source column is named and typed in the dest."""

    id: Short = Field(description="Stable id: c1, c2 ...")


@filled(Guards)
class GuardFields(Body):
    """Switches for the checks of a run."""


@filled(ModuleFields)
class ModuleNew(Body):
    """A module to make."""

    name: Name = Field(description="1 to 60 letters, digits, _ . or -.")
    source_id: Id = Field(description="The connection the query runs on.")
    dest_id: Id = Field(description="The connection that holds the dest table.")
    source_query: Text = Field(description="The source query; {name} stands for a watermark.")
    merge_key: Text | Annotated[list[Text], Field(max_length=100)] | None = Field(
        default=None, description='The merge key; "a, b" or a list for several columns.'
    )
    columns: Annotated[list[ColumnFields], Field(max_length=MOST_COLUMNS)] = Field(
        default_factory=list, description="Names of source columns in the dest; empty for equal names."
    )
    guards: GuardFields = Field(default_factory=GuardFields, description="Switches of the checks of a run.")


@partial
class ModuleChange(ModuleNew):
    """Fields of a module to change; what is left out stays. `guards` and `columns` are replaced as a whole."""


def get_module_values(given: dict[str, Any]) -> dict[str, Any]:
    """A module's fields as the repo takes them."""
    values = dict(given)
    if "columns" in values:
        values["columns"] = tuple(Column(**column) for column in values["columns"])
    if "guards" in values:
        values["guards"] = Guards(**values["guards"])
    return values


@filled(ModuleFields)
class ModuleAnswer(Answer):
    """One sync: a source query kept in step with a dest table."""

    id: int
    source_id: int
    dest_id: int
    merge_key: str | None = Field(description='"a, b" for several columns; a name with a comma is quoted.')
    columns: list[ColumnFields]
    guards: GuardFields
    running: bool = Field(description="Whether a run of it goes on now.")

    @classmethod
    def of(cls, record: object) -> Self:
        """A module; its key as the one text it is kept as."""
        assert isinstance(record, Module)
        plain = {name: getattr(record, name) for name in cls.model_fields if name not in ("merge_key", "columns")}
        columns = [ColumnFields.model_validate(column, from_attributes=True) for column in record.columns]
        guards = GuardFields.model_validate(record.guards, from_attributes=True)
        return cls(**{**plain, "merge_key": record.key_text or None, "columns": columns, "guards": guards})


# -- watermarks and hooks ----------------------------------------------------------------------------------------------


@filled(models.WatermarkFields)
class WatermarkFields(Body):
    """A watermark's own fields."""

    name: Name = Field(description="Letters, digits and _; the query uses it as {name}.")
    connection_id: Id = Field(description="The connection the SQL runs on.")
    resolver_sql: Text = Field(description="Gives the value: the first cell of its first row.")
    default_value: Text | None = Field(default=None, description="The value when the SQL gives no row or NULL.")


class WatermarkNew(WatermarkFields):
    """A watermark to make."""

    module_id: Id = Field(description="The module it belongs to.")


@partial
class WatermarkChange(WatermarkFields):
    """Fields of a watermark to change; what is left out stays."""


@filled(models.WatermarkFields)
class WatermarkAnswer(Answer):
    """A placeholder of a module's query and the SQL that resolves it."""

    id: int
    module_id: int
    connection_id: int


@filled(models.HookFields)
class HookFields(Body):
    """A hook's own fields."""

    sql: Text = Field(description="The statement, run on the dest.")


class HookNew(HookFields):
    """A hook to make."""

    module_id: Id = Field(description="The module it belongs to.")


@partial
class HookChange(HookFields):
    """Fields of a hook to change; what is left out stays."""


@filled(models.HookFields)
class HookAnswer(Answer):
    """SQL run on the dest after the merge."""

    id: int
    module_id: int


# -- groups, members, schedules ----------------------------------------------------------------------------------------


@filled(GroupFields)
class GroupNew(Body):
    """A group to make."""

    name: Name = Field(description="What it is called, letter case aside unique.")


@partial
class GroupChange(GroupNew):
    """Fields of a group to change; what is left out stays."""


@filled(GroupFields)
class GroupAnswer(Answer):
    """A named, ordered set of modules."""

    id: int


@partial
@filled(GroupMember)
class MemberChange(Body):
    """Another place, or another thing to do there; what is left out stays."""


@filled(GroupMember)
class MemberNew(Body):
    """A place in a group to give to a module, to be run or to be verified there."""

    group_id: Id = Field(description="The group.")
    module_id: Id = Field(description="The module.")
    run_order: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        default=None, description="Lower runs first; null for the last place."
    )


@filled(GroupMember)
class MemberAnswer(Answer):
    """A module's place in a group."""

    id: int
    group_id: int
    module_id: int
    run_order: int


@filled(models.ScheduleFields)
class ScheduleFields(Body):
    """A schedule's own fields."""

    cron: Short = Field(description="Five cron fields in the server's local time, or @hourly, @daily and the like.")


class ScheduleNew(ScheduleFields):
    """A schedule to make."""

    group_id: Id = Field(description="The group it starts.")


@partial
class ScheduleChange(ScheduleFields):
    """Fields of a schedule to change; what is left out stays."""


@filled(models.ScheduleFields)
class ScheduleAnswer(Answer):
    """A cron expression tied to a group."""

    id: int
    group_id: int
    cron: str
    last_fired_at: str | None = Field(description="The latest due time that was dealt with, UTC.")
    reading: str = Field(description="The expression in plain words.")
    next_at: str | None = Field(description="The next time in the server's zone; null while it is switched off.")

    @classmethod
    def of(cls, record: object) -> Self:
        """A schedule with its reading and its next time."""
        assert isinstance(record, Schedule)
        computed = ("reading", "next_at")
        plain = {name: getattr(record, name) for name in cls.model_fields if name not in computed}
        times = next_times(record.cron, datetime.now().astimezone(), 1) if record.enabled else []
        return cls(**plain, reading=describe(record.cron), next_at=times[0].isoformat() if times else None)


class FireAnswer(Answer):
    """What came of one due time of a schedule."""

    id: int
    schedule_id: int
    due_at: str
    outcome: Literal["fired", "catch_up", "skipped", "missed"]
    reason: str | None
    group_run_id: int | None
    recorded_at: str


# -- people ------------------------------------------------------------------------------------------------------------

_Password = Annotated[str, StringConstraints(min_length=8, max_length=1000)]
_ADVICE = "At least 8 characters, 15 are advised; common ones are refused."


class UserNew(Body):
    """A user to make."""

    name: Name = Field(description="The login, letter case aside unique.")
    password: _Password = Field(description=_ADVICE)
    role: Role = Field(default="viewer", description="What the user may do; a later role includes the earlier ones.")


class UserFields(Body):
    """What an admin changes of another user."""

    password: _Password = Field(description=_ADVICE)
    role: Role = Field(description="What the user may do.")
    enabled: bool = Field(description="Whether the user may log in.")


@partial
class UserChange(UserFields):
    """Fields of a user to change; what is left out stays. Ends the user's sessions, a new password the tokens too."""


class UserAnswer(Answer):
    """Somebody who may log in."""

    id: int
    name: str
    role: Role
    enabled: bool
    created_at: str
    last_login_at: str | None


class TokenNew(Body):
    """A token to make for yourself."""

    name: Name = Field(description="What it is for.")
    role: Role | None = Field(default=None, description="What it may do; null for what you may.")
    days: int = Field(default=USUAL_DAYS, ge=1, le=MOST_DAYS, description="After how many days it ends.")


class TokenAnswer(Answer):
    """A bearer token without its value."""

    id: int
    name: str
    role: Role | None = Field(description="What it may do, and never more than its owner; null: what the owner may.")
    created_at: str
    last_used_at: str | None
    expires_at: str | None = Field(description="When it ends; null for one that was made before there was an end.")


class TokenMade(TokenAnswer):
    """A new token; its value is shown this once."""

    token: str = Field(description="The value to send as `Authorization: Bearer ...`.")
