# What a form's watermarks give now: their SQL asked, a dest that is yet to be made minded. Knows rows, no module.
"""`ask_row`, `find_values`, and `fill_to_look`: a query as it can be asked before every value is known."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from starlette.datastructures import FormData

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.engine.looking.look import read_first_cell
from pipekit.engine.planning.naming import format_table
from pipekit.engine.variables import fill, fill_table
from pipekit.engine.watermarks.places import find_places, lay_bare
from pipekit.engine.watermarks.resolve import fill_placeholders
from pipekit.errors import ConnectFailed, Invalid, PipekitError, StatementFailed
from pipekit.http.state import Context
from pipekit.models import Connection
from pipekit.web.kit.forms import FormRow, get_flag, get_text


@dataclass(frozen=True, kw_only=True, slots=True)
class DestPlace:
    """The dest table that a form names."""

    connection: Connection
    table: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The first cell of a watermark's SQL, None for no value; `unmade` is a dest table that is not there yet."""

    value: str | None
    unmade: str = ""


def read_dest_place(db: repo.State, data: FormData) -> DestPlace | None:
    """The dest that a form names, by a table's whole name or by schema and table.

    None where it names none yet, or where its table is not made when it is missing.
    """
    found = next((item for item in repo.list_connections(db) if str(item.id) == get_text(data, "dest_id")), None)
    table = get_text(data, "dest_table").strip()
    if found is None or not table or not get_flag(data, "create_table", True):
        return None
    try:
        if "dest_schema" in data:
            driver, schema = get_driver(found.driver), get_text(data, "dest_schema").strip()
            return DestPlace(connection=found, table=format_table(driver, schema, table))
        return DestPlace(connection=found, table=fill_table(found, table))
    except Invalid:
        return None


def ask_row(context: Context, connection: Connection, sql: str, dest: DestPlace | None) -> Answer:
    """What a watermark's SQL gives now. A dest that the module will make has none. Raises what the database says."""
    try:
        with context.looks.open(connection) as look:
            return Answer(value=read_first_cell(look, fill(connection, sql)))
    except (StatementFailed, ConnectFailed):
        if dest is None or not _asks(connection, sql, dest) or not is_unmade(context, dest):
            raise
        return Answer(value=None, unmade=dest.table)


def _asks(connection: Connection, sql: str, dest: DestPlace) -> bool:
    """Whether the SQL is asked where the dest is, and names its table."""
    table = get_driver(dest.connection.driver).parse_table(dest.table).name
    return connection.jdbc_url == dest.connection.jdbc_url and table.casefold() in sql.casefold()


def is_unmade(context: Context, dest: DestPlace) -> bool:
    """Whether the dest table is not there yet, or its whole file; False where nobody can tell."""
    try:
        with context.looks.open(dest.connection) as look:
            table = look.driver.resolve_table(look.query, dest.table)
            return not look.driver.get_table_facts(look.query, table).exists
    except ConnectFailed as error:
        return error.sqlstate.startswith("SQLITE_CANTOPEN")
    except PipekitError:
        return False


def find_values(
    context: Context, db: repo.State, rows: Sequence[FormRow], names: Collection[str], dest: DestPlace | None
) -> dict[str, str]:
    """Values of placeholders to look with: what the watermark's SQL gives, else its default. Others stay."""
    values: dict[str, str] = {}
    known = {str(item.id): item for item in repo.list_connections(db)}
    for row in rows:
        name, connection = row["name"].strip(), known.get(row["connection_id"])
        if name not in names or row["deleted"]:
            continue
        found = _ask(context, connection, row, dest) if connection and row["resolver_sql"].strip() else None
        if found is not None or row["default_value"]:
            values[name] = row["default_value"] if found is None else found
    return values


def _ask(context: Context, connection: Connection, row: FormRow, dest: DestPlace | None) -> str | None:
    """What the SQL gives; nothing where it fails and there is a default: a page can be shown with that."""
    try:
        return ask_row(context, connection, row["resolver_sql"], dest).value
    except (StatementFailed, ConnectFailed):
        if not row["default_value"]:
            raise
        return None


# -- a query that can be asked -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Filled:
    """A query to find columns with: `text` is sent, `bare` is what `find_error_position` takes with `values`.

    `blank` are the names that have no value: NULL stands for each.
    """

    text: str
    bare: str
    values: Mapping[str, str]
    blank: tuple[str, ...]

    @property
    def hint(self) -> str:
        """What to say where the database refuses it; `""` where every name has a value."""
        shown = ", ".join(f"{{{name}}}" for name in self.blank)
        return f"NULL stood for {shown}, which has no value yet: if that is in the way, give it one." if shown else ""


def fill_to_look(query: str, values: Mapping[str, str]) -> Filled:
    """The query with its values; NULL where a `{name}` has none, since no row is wanted."""
    blank = tuple(sorted(n for n, place in find_places(query).items() if place == "value" and n not in values))
    bare, filled = lay_bare(query, blank), {**values, **dict.fromkeys(blank, "NULL")}
    return Filled(text=fill_placeholders(bare, filled), bare=bare, values=filled, blank=blank)


def need_values(filled: Filled) -> str:
    """The text to ask rows with. Raises Invalid for a `{name}` without a value, as NULL finds none."""
    if filled.blank:
        shown = ", ".join(f"{{{name}}}" for name in filled.blank)
        raise Invalid(f"There is no value for {shown} now.", hint="Give it a value when there is none, to look with.")
    return filled.text
