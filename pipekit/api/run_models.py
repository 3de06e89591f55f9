# Requests and responses of runs, group runs, looking and the audit trail. Knows the records they are made from.
"""Models of what happens: runs, logs, group runs, introspection, the audit trail."""

from dataclasses import replace
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints

from pipekit.api.bodies import LARGEST_ID, Answer, Body, Name, Short, Text
from pipekit.cutting import cut
from pipekit.engine.looking.look import MOST_ROWS
from pipekit.models import GroupRunStatus, MergeState, Run, RunStatus, Stage
from pipekit.models.altering import Change

# Of all watermarks of a run in a list.
LONGEST_LISTED = 10_000


class RunStart(Body):
    """How a run differs from its module's definition."""

    dry_run: bool = Field(default=False, description="Resolve and show everything, move nothing.")
    preview: bool = Field(default=False, description="Stage and check, tell what the merge would do, merge nothing.")
    merge_preview: int | None = Field(
        default=None, ge=1, le=LARGEST_ID, description="The run of a preview: what it has staged is merged."
    )
    verify: bool = Field(default=False, description="Hold the dest against the source, value by value; load nothing.")
    watermarks: dict[Name, Text] = Field(
        default_factory=dict, max_length=100, description="Values of watermarks for this run, by name."
    )


class ColumnChange(Body):
    """A change of one column of a module's dest."""

    what: Change = Field(description="What becomes of it.")
    to: Short = Field(default="", description="The new name or type; nothing for `drop`.")
    preview: bool = Field(default=False, description="Tell what it would do and lose, and change nothing.")


class RunQueued(Answer):
    """The run that was asked for; the server starts it."""

    run_id: int


class GroupRunStart(Body):
    """How to run a group."""

    dry_run: bool = Field(default=False, description="Every member only as a dry run.")


class GroupRunQueued(Answer):
    """The group run that was asked for."""

    group_run_id: int


class CheckAnswer(Answer):
    """One line of a receipt. `ok` is null for a check that was not made; `detail` says why."""

    name: str
    ok: bool | None
    detail: str


class RunSessionAnswer(Answer):
    """A session as the people of its system know it."""

    name: str = Field(description="On an IBM i a job: number/user/name.")
    about: str = Field(description="How it is connected.")
    writes: bool


class AlterationAnswer(Answer):
    """A change of a column of a dest, and what the run has found of it."""

    what: Change
    column: str = Field(description="The column of the dest.")
    to: str = Field(description="Its new name or type.")
    id: str = Field(description="The stable id of the module's column; empty where it maps none there.")
    was: str = Field(description="Its type before.")


class RunSummary(Answer):
    """One execution of a module, without its long texts."""

    run_id: int = Field(validation_alias="id")
    module_id: int | None
    module: str = Field(description="The module's name when the run started.")
    group_run_id: int | None
    run_order: int | None
    triggered_by: str
    status: RunStatus
    dry_run: bool
    preview: bool = Field(description="Whether it only looked at what its merge would do.")
    merges_preview: int | None = Field(description="The preview whose staging it merged.")
    attempt: int
    cancel_requested: bool
    cancelled_by: str | None = Field(description="Who asked it to stop: a user, `shell:` and one, interrupt, server.")
    dest_table: str | None
    queued_at: str | None
    started_at: str | None
    finished_at: str | None
    stages: dict[str, float] = Field(description="Seconds by stage.")
    watermark_values: dict[str, str] = Field(description="In lists the ends of long ones.")
    watermarks_given: list[str] = Field(description="Those whose values were given by hand.")
    merge_state: MergeState
    stage: Stage | None = Field(description="What it is doing now; null when it has ended.")
    stage_started_at: str | None
    rows_so_far: int | None = Field(description="Rows that have arrived in staging.")
    rows_expected: int | None = Field(description="As many as the source thinks that there are; null: not asked.")
    rows_read: int | None
    rows_staged: int | None
    rows_deleted: int | None
    rows_inserted: int | None
    rows_updated: int | None
    rows_unchanged: int | None = Field(description="Came again and were not written; null where none are compared.")
    rows_marked: int | None = Field(description="Gone from the source and marked so; null without `deletes: mark`.")
    dest_rows_before: int | None
    dest_rows_after: int | None
    verify: dict[str, Any] | None = Field(
        description="What was found where the dest was held against the source: counts, and keys without values."
    )
    error_stage: Stage | None
    error: str | None
    hint: str | None
    undo_rows: int | None = Field(description="Rows that its dest keeps so that it can be taken back.")
    undoes: int | None = Field(description="The run that this one takes back.")
    alteration: AlterationAnswer | None = Field(description="The change of a dest column that the run is about.")
    undone_by: int | None = Field(description="The run that has taken this one back.")

    @classmethod
    def of_listed(cls, run: Run) -> Self:
        """A run among others: long values of watermarks are cut, the run itself has them whole."""
        values = run.watermark_values
        if sum(map(len, values.values())) > LONGEST_LISTED:
            each = max(100, LONGEST_LISTED // len(values))
            return cls.of(replace(run, watermark_values={name: cut(value, each) for name, value in values.items()}))
        return cls.of(run)


class RunAnswer(RunSummary):
    """One execution of a module: the whole record but the live log."""

    staging_table: str | None
    checks: list[CheckAnswer]
    sessions: list[RunSessionAnswer] = Field(description="Those that can be told from others on their system.")
    resolved_sql: str | None
    error_position: int | None = Field(description="The character of `resolved_sql`, from 1, the source points at.")
    staging_sql: str | None
    merge_sql: str | None
    stdout: str | None
    stderr: str | None


class MeetingAnswer(Answer):
    """A dest row that would be updated."""

    key: dict[str, str | None] = Field(description="Its key; all of its columns where there is none.")
    differs: dict[str, list[str | None]] = Field(description="The old and the new value by column.")


class SamplesAnswer(Answer):
    """A few rows of each sort; cells are text, null for NULL, long ones cut."""

    insert: list[dict[str, str | None]]
    update: list[MeetingAnswer]
    delete: list[dict[str, str | None]]


class PreviewFound(Answer):
    """What the merge of a preview would do."""

    run_id: int
    would_insert: int
    would_update: int
    would_delete: int
    unchanged: int | None = Field(description="Rows that differ in nothing; null where none are compared.")
    notes: list[str] = Field(description="What the figures do not say.")
    kept_until: str | None = Field(description="Until when its staging can be merged; null when it cannot.")
    samples: SamplesAnswer | None = Field(description="For those who may look into databases; null for others.")


class LogTime(Answer):
    """When the lines of a log came that begin at a place of its text."""

    place: int = Field(description="Characters of `text` before them.")
    at: str


class LogAnswer(Answer):
    """A piece of a live log."""

    text: str
    times: list[LogTime] = Field(description="Where lines begin that came at another second than those before.")
    next_offset: int = Field(description="Ask with this offset next.")
    ended: bool = Field(description="Whether the run has ended and this was the rest.")


class CancelAnswer(Answer):
    """Whether there was anything to cancel."""

    cancelled: bool = Field(description="False when it had ended already.")


class GroupRunSummary(Answer):
    """One execution of a group."""

    group_run_id: int = Field(validation_alias="id")
    group_id: int | None
    group: str = Field(validation_alias="group_name", description="The group's name when it started.")
    status: GroupRunStatus
    triggered_by: str
    cancel_requested: bool
    started_at: str | None
    finished_at: str | None


class GroupRunAnswer(GroupRunSummary):
    """One execution of a group with the runs of its members."""

    runs: list[RunSummary]


class PauseAnswer(Answer):
    """The pause switch of the whole program."""

    paused: bool


# -- looking into databases --------------------------------------------------------------------------------------------


class DriverChange(Body):
    """What a kind that is reached over JDBC is registered with."""

    jar: Short = Field(description="The jar's name in the folder for jars (`jar_folder`).")
    java_class: Short = Field(default="", description="The driver's class; empty where Pipekit knows it.")
    url_template: Short = Field(default="", description="How its addresses begin, `{...}` for what differs.")
    folder: Short = Field(default="", description="Where its databases in files may lie; empty: servers alone.")


class DriverNew(DriverChange):
    """A kind that is reached over JDBC."""

    kind: Short = Field(description="db2i, jdbc, or a name of its own such as h2.")


class DriverAnswer(Answer):
    """A kind of database."""

    kind: str
    label: str
    url_example: str
    fields: list[str] = Field(description="What is picked, in order, to reach a table.")
    state: str = Field(description="`built in`, or for one that is reached over JDBC `no jar`, `ok` or `bad`.")
    jar: str | None = Field(description="Its registered jar.")
    java_class: str | None
    jar_sha256: str | None
    folder: str | None = Field(description="Below which folder its databases in files may lie; none: servers alone.")
    problem: str | None = Field(description="Why its jar cannot be used.")


class TestAnswer(Answer):
    """A connection that works."""

    __test__ = False

    ok: bool
    seconds: float = Field(description="How long connecting and looking took.")
    schemas: list[str]


class TableAnswer(Answer):
    """A table or view."""

    schema_: str = Field(alias="schema")
    name: str
    is_view: bool
    rows: int | None = Field(description="The database's own estimate.")
    comment: str | None


class TableColumnAnswer(Answer):
    """A column of a table."""

    name: str
    type: str
    nullable: bool
    has_default: bool
    generated: bool
    in_key: bool
    comment: str | None


class QueryColumnAnswer(Answer):
    """A column of a query's result."""

    name: str
    type: str = Field(description="The database's own spelling, empty where it cannot tell.")


_Sql = Annotated[Text, StringConstraints(min_length=1)]


class QueryBody(Body):
    """A query to look at."""

    sql: _Sql = Field(description="The query.")


class PreviewBody(QueryBody):
    """A query to read the first rows of."""

    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = Field(default=20, description="How many rows at most.")


class PreviewAnswer(Answer):
    """The first rows of a query."""

    columns: list[QueryColumnAnswer]
    rows: list[list[str | None]] = Field(description="Every cell is text, or null for NULL.")


# -- the audit trail ---------------------------------------------------------------------------------------------------


class AuditAnswer(Answer):
    """Who did what to which thing."""

    id: int
    at: str
    user: str
    action: str
    kind: str
    name: str
    detail: dict[str, Any] = Field(description="For changes {field: [old, new]}.")
