# Requests and responses that define things. Knows the records they are made from, no route.
"""Models of connections, modules, watermarks, hooks, groups, members, schedules, users and tokens."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints

from pipekit.accounts import Role
from pipekit.api.bodies import Answer, Body, Id, Name, Short, Text, filled, partial
from pipekit.cron import describe, next_times
from pipekit.models import Column, Guards, Match, Module, RunOn, Schedule, Strategy

# -- connections -------------------------------------------------------------------------------------------------------


class ConnectionNew(Body):
    """A connection to make."""

    name: Name = Field(description="What it is called, letter case aside unique.")
    driver: Short = Field(description="The kind of database; see /api/drivers.")
    jdbc_url: Short = Field(description="Where the database is, as a JDBC URL without a password.")
    username: Short | None = Field(default=None, description="Who logs in.")
    password: Short | None = Field(default=None, description="The name of a secret, $NAME; never the password itself.")
    max_runs: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None, description="How many runs may use it at the same time; null for any number."
    )


@partial
class ConnectionChange(ConnectionNew):
    """Fields of a connection to change; what is left out stays."""


class ConnectionAnswer(Answer):
    """A named database."""

    id: int
    name: str
    driver: str
    jdbc_url: str
    username: str | None
    password: str | None = Field(description="The reference $NAME, never the password itself.")
    max_runs: int | None


# -- modules -----------------------------------------------------------------------------------------------------------


class ColumnFields(Body):
    """How a source column is named and typed in the dest."""

    id: Short = Field(description="Stable id: c1, c2 ...")
    source_name: Short = Field(description="The column of the query.")
    source_type: Short = Field(default="", description="Its type as the source spells it.")
    dest_name: Short = Field(description="The column of the dest table.")
    dest_type: Short = Field(default="", description="Its type as the dest spells it.")


@filled(Guards)
class GuardFields(Body):
    """Switches for the checks of a run."""


_Seconds = Annotated[float, Field(gt=0, le=1e9)]


class ModuleNew(Body):
    """A module to make."""

    name: Name = Field(description="1 to 60 letters, digits, _ . or -.")
    source_id: Id = Field(description="The connection the query runs on.")
    dest_id: Id = Field(description="The connection that holds the dest table.")
    source_query: Text = Field(description="The source query; {name} stands for a watermark.")
    dest_table: Short = Field(description="The dest table, with its schema where the kind has schemas.")
    merge_strategy: Strategy = Field(default="full", description="How staging is merged into the dest.")
    merge_key: Text | Annotated[list[Text], Field(max_length=100)] | None = Field(
        default=None, description='The merge key; "a, b" or a list for several columns.'
    )
    columns: Annotated[list[ColumnFields], Field(max_length=5000)] = Field(
        default_factory=list, description="Names of source columns in the dest; empty for equal names."
    )
    match: Match = Field(default="name", description="How source columns meet dest columns.")
    guards: GuardFields = Field(default_factory=GuardFields, description="Switches of the checks of a run.")
    create_table: bool = Field(default=False, description="Make the dest table when it is missing.")
    trim_char: bool = Field(default=False, description="Drop the trailing blanks of the source's CHAR columns.")
    enabled: bool = Field(default=True, description="Whether groups run it.")
    retries: Annotated[int, Field(ge=0, le=100)] = Field(default=2, description="Tries after a passing fault.")
    silence_timeout_s: _Seconds | None = Field(default=None, description="Longest time without progress, in seconds.")
    run_timeout_s: _Seconds | None = Field(default=None, description="Longest time of a whole run, in seconds.")


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


class ModuleAnswer(Answer):
    """One sync: a source query kept in step with a dest table."""

    id: int
    name: str
    source_id: int
    dest_id: int
    source_query: str
    dest_table: str
    merge_strategy: Strategy
    merge_key: str | None = Field(description='"a, b" for several columns; a name with a comma is quoted.')
    columns: list[ColumnFields]
    match: Match
    guards: GuardFields
    create_table: bool
    trim_char: bool
    enabled: bool
    retries: int
    silence_timeout_s: float | None
    run_timeout_s: float | None
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


class WatermarkAnswer(Answer):
    """A placeholder of a module's query and the SQL that resolves it."""

    id: int
    module_id: int
    name: str
    connection_id: int
    resolver_sql: str
    default_value: str | None


_Order = Annotated[int, Field(ge=-1_000_000, le=1_000_000)]


class HookFields(Body):
    """A hook's own fields."""

    sql: Text = Field(description="The statement, run on the dest.")
    run_order: _Order = Field(default=1, description="Lower runs first.")
    run_on: RunOn = Field(default="success", description="After which outcome it runs.")


class HookNew(HookFields):
    """A hook to make."""

    module_id: Id = Field(description="The module it belongs to.")


@partial
class HookChange(HookFields):
    """Fields of a hook to change; what is left out stays."""


class HookAnswer(Answer):
    """SQL run on the dest after the merge."""

    id: int
    module_id: int
    sql: str
    run_order: int
    run_on: RunOn


# -- groups, members, schedules ----------------------------------------------------------------------------------------


class GroupNew(Body):
    """A group to make."""

    name: Name = Field(description="What it is called, letter case aside unique.")
    enabled: bool = Field(default=True, description="Whether its schedules fire.")
    parallel: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=1, description="How many members of equal order run side by side."
    )
    paused: bool = Field(default=False, description="Hold back everything it would start.")


@partial
class GroupChange(GroupNew):
    """Fields of a group to change; what is left out stays."""


class GroupAnswer(Answer):
    """A named, ordered set of modules."""

    id: int
    name: str
    enabled: bool
    parallel: int
    paused: bool


_Place = Annotated[int, Field(ge=1, le=1_000_000)]


class MemberNew(Body):
    """A place in a group to give to a module."""

    group_id: Id = Field(description="The group.")
    module_id: Id = Field(description="The module.")
    run_order: _Place | None = Field(default=None, description="Lower runs first; null for the last place.")


class MemberChange(Body):
    """Another place."""

    run_order: _Place = Field(description="Lower runs first; equal ones may run side by side.")


class MemberAnswer(Answer):
    """A module's place in a group."""

    id: int
    group_id: int
    module_id: int
    run_order: int


class ScheduleFields(Body):
    """A schedule's own fields."""

    cron: Short = Field(description="Five cron fields in the server's local time, or @hourly, @daily and the like.")
    enabled: bool = Field(default=True, description="Whether it fires.")
    catch_up: bool = Field(default=True, description="Fire once for times that were missed.")


class ScheduleNew(ScheduleFields):
    """A schedule to make."""

    group_id: Id = Field(description="The group it starts.")


@partial
class ScheduleChange(ScheduleFields):
    """Fields of a schedule to change; what is left out stays."""


class ScheduleAnswer(Answer):
    """A cron expression tied to a group."""

    id: int
    group_id: int
    cron: str
    enabled: bool
    catch_up: bool
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


class UserNew(Body):
    """A user to make."""

    name: Name = Field(description="The login, letter case aside unique.")
    password: _Password = Field(description="At least 8 characters.")
    role: Role = Field(default="viewer", description="What the user may do; a later role includes the earlier ones.")


class UserFields(Body):
    """What an admin changes of another user."""

    password: _Password = Field(description="At least 8 characters.")
    role: Role = Field(description="What the user may do.")
    enabled: bool = Field(description="Whether the user may log in.")


@partial
class UserChange(UserFields):
    """Fields of a user to change; what is left out stays. Ends the user's sessions."""


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


class TokenAnswer(Answer):
    """A bearer token without its value."""

    id: int
    name: str
    created_at: str
    last_used_at: str | None


class TokenMade(TokenAnswer):
    """A new token; its value is shown this once."""

    token: str = Field(description="The value to send as `Authorization: Bearer ...`.")
