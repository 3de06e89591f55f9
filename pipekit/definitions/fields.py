# The fields of a definition file, as data: the parser, export and JSON Schema all read this table. Knows no YAML.
"""Every object of a definition file and its fields, in the order in which they are written."""

from collections.abc import Mapping

from pipekit.drivers import KIND
from pipekit.fields import Field, list_fields
from pipekit.models import RUN_ON, STRATEGIES, Guards

KIND_PATTERN = KIND.pattern.removesuffix(r"\Z")
PASSWORD_PATTERN = r"\$[A-Za-z_][A-Za-z0-9_]*"

_CONNECTION = (
    Field(name="driver", kind="text", required=True, pattern=KIND_PATTERN, doc="The kind of database."),
    Field(name="jdbc_url", kind="text", required=True, doc="Where the database is, as a JDBC URL."),
    Field(name="username", kind="text", doc="Who logs in."),
    Field(
        name="password",
        kind="text",
        pattern=PASSWORD_PATTERN,
        doc="The name of a secret, written $NAME; never the password itself.",
    ),
    Field(
        name="max_runs",
        kind="whole",
        low=1,
        high=1000,
        doc="How many runs may use it at the same time, as source or dest.",
    ),
)

_MODULE = (
    Field(name="source", kind="text", required=True, doc="The connection the query runs on."),
    Field(name="query", kind="text", required=True, doc="The source query; {name} stands for a watermark."),
    Field(name="dest", kind="text", required=True, doc="The connection that holds the dest table."),
    Field(name="table", kind="text", required=True, doc="The dest table, with its schema where the kind has schemas."),
    Field(name="strategy", kind="text", choices=STRATEGIES, default="full", doc="How staging is merged into the dest."),
    Field(name="key", kind="names", doc='The merge key; "a, b" or a list for several columns.'),
    Field(
        name="create_table",
        kind="flag",
        default=False,
        doc="Make the dest table from the query's columns when it is missing.",
    ),
    Field(name="trim_char", kind="flag", default=False, doc="Drop the trailing blanks of the source's CHAR columns."),
    Field(name="enabled", kind="flag", default=True, doc="Whether groups run the module."),
    Field(
        name="match",
        kind="text",
        choices=("name", "position"),
        default="name",
        doc="How source columns meet dest columns.",
    ),
    Field(name="watermarks", kind="map", of="watermark", doc="Placeholders of the query, by name."),
    Field(name="hooks", kind="list", of="hook", doc="SQL that runs on the dest after the merge."),
    Field(name="columns", kind="list", of="column", doc="How source columns are named in the dest."),
    Field(name="guards", kind="object", of="guards", doc="Switches of the checks of a run."),
    Field(
        name="retries",
        kind="whole",
        low=0,
        high=100,
        default=2,
        doc="How often a passing fault is tried again.",
    ),
    Field(name="timeouts", kind="object", of="timeouts", doc="Limits of this module, in seconds."),
)

_WATERMARK = (
    Field(name="connection", kind="text", required=True, doc="The connection the SQL runs on."),
    Field(name="sql", kind="text", required=True, doc="Gives the value: the first cell of its first row."),
    Field(name="default", kind="text", doc="The value when the SQL gives no row or NULL."),
)

_HOOK = (
    Field(name="sql", kind="text", required=True, doc="The statement."),
    Field(name="run_on", kind="text", choices=RUN_ON, default="success", doc="When it runs."),
    Field(name="run_order", kind="whole", default=1, low=-1_000_000, high=1_000_000, doc="Lower runs first."),
)

_COLUMN = (
    Field(name="id", kind="text", doc="Stable id; c1, c2 ... when left out."),
    Field(name="source_name", kind="text", required=True, doc="The column of the query."),
    Field(name="source_type", kind="text", default="", doc="Its type, as the source spells it."),
    Field(name="dest_name", kind="text", required=True, doc="The column of the dest table."),
    Field(name="dest_type", kind="text", default="", doc="Its type, as the dest spells it."),
)

_GUARDS = list_fields(Guards)

_TIMEOUTS = (
    Field(name="silence_s", kind="number", above=0, doc="Longest time without progress, in seconds."),
    Field(name="run_s", kind="number", above=0, doc="Longest time of a whole run, in seconds."),
)

_GROUP = (
    Field(name="enabled", kind="flag", default=True, doc="Whether its schedules fire."),
    Field(
        name="paused",
        kind="flag",
        default=False,
        doc="Hold back its schedules and everything it would start.",
    ),
    Field(
        name="parallel",
        kind="whole",
        low=1,
        high=1000,
        default=1,
        doc="How many modules of the same order run side by side.",
    ),
    Field(name="modules", kind="list", of="member", short="module", doc="The modules, in the order they run."),
    Field(name="schedules", kind="list", of="schedule", short="cron", doc="When the group runs."),
)

_MEMBER = (
    Field(name="module", kind="text", required=True, doc="The module."),
    Field(
        name="order",
        kind="whole",
        required=True,
        low=1,
        high=1_000_000,
        doc="Lower runs first; equal ones may run side by side.",
    ),
)

_SCHEDULE = (
    Field(name="cron", kind="text", required=True, doc="Five cron fields, or @hourly, @daily and the like."),
    Field(name="enabled", kind="flag", default=True, doc="Whether it fires."),
    Field(name="catch_up", kind="flag", default=True, doc="Fire once for times that were missed."),
)

_FILE = (
    Field(name="connections", kind="map", of="connection", doc="Databases, by name."),
    Field(name="modules", kind="map", of="module", doc="Modules, by name."),
    Field(name="groups", kind="map", of="group", doc="Groups of modules, by name."),
)

OBJECTS: Mapping[str, tuple[Field, ...]] = {
    "file": _FILE,
    "connection": _CONNECTION,
    "module": _MODULE,
    "watermark": _WATERMARK,
    "hook": _HOOK,
    "column": _COLUMN,
    "guards": _GUARDS,
    "timeouts": _TIMEOUTS,
    "group": _GROUP,
    "member": _MEMBER,
    "schedule": _SCHEDULE,
}
