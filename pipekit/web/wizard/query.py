# What the third step does with the query: written from columns, edited, compared with a watermark. Asks nothing.
"""`take_query`, `add_comparison`, `list_comparable`, `check_columns`, `list_warnings`."""

from collections.abc import Sequence

from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver, TableColumn
from pipekit.engine.watermarks.places import add_condition, find_places
from pipekit.models import KEYED, WATERMARK_NAME, Connection
from pipekit.web.kit.forms import Form, FormRow
from pipekit.web.modules.watermarks import FIELDS as WM_FIELDS
from pipekit.web.modules.watermarks import build_placeholder_warnings, is_left_aside
from pipekit.web.wizard.form import build_source_query, write_query
from pipekit.web.wizard.settle import NUMBERS, propose_mark

# Values of these are in no order that grows with the rows.
_NO_ORDER = frozenset({"bool", "bytes", "json", "xml", "interval", "time", "timetz"})


def take_query(form: Form, source: Connection) -> str:
    """Writes the query for the columns that were chosen; returns what to say where it had been edited.

    What was typed behind the written query stays behind it. `written` is the query that the columns of the form are of.
    """
    if form.value("entry_mode") == "sql":
        form.values["written"] = form.value("query")
        return ""
    before, query, written = form.value("written"), form.value("query"), write_query(form, source)
    form.values["written"] = written
    if _find_from(before) not in ("", _find_from(written)):
        form.values["query"] = written
        return "" if query in ("", before) else "The query was written anew for another table; what was edited is gone."
    if query.startswith(before):
        form.values["query"] = written + query[len(before) :]
        return ""
    return "" if before == written else "The query was edited, so it stays as it is. Empty it to have it written anew."


def _find_from(written: str) -> str:
    return written.rpartition("\nFROM ")[2]


# -- the comparison ----------------------------------------------------------------------------------------------------


def list_comparable(form: Form, source: Connection) -> list[FormRow]:
    """The columns whose values may grow with the rows."""
    driver = get_driver(source.driver)
    return [row for row in form.rows["col"] if _is_comparable(driver, row["source_type"])]


def _is_comparable(driver: Driver, type_text: str) -> bool:
    name = driver.to_neutral(type_text).name
    return name not in _NO_ORDER or (name == "bytes" and driver.has_bare_bytes)


def add_comparison(form: Form, source: Connection, dest: Connection) -> str:
    """Puts the comparison of the column picked with a watermark into the query, and the watermark beside it.

    Returns what to say of it; notes in the form what is missing.
    """
    row = next((row for row in list_comparable(form, source) if row["id"] == form.value("compare_column")), None)
    name = form.value("compare_name").strip()
    if row is None:
        form.note("compare_column", "Choose the column.")
    if not WATERMARK_NAME.match(name):
        form.note("compare_name", "Use letters, digits and _, not a digit first.")
    if row is None or form.problems:
        return ""
    said = _put_comparison(form, source, row, name)
    if name not in {other["name"].strip() for other in form.rows["wm"]}:
        form.rows["wm"] = [other for other in form.rows["wm"] if not is_left_aside(other)]
        form.rows["wm"].append(_build_watermark(form, source, dest, row, name))
    if form.value("merge_strategy") == "full":
        said += " The strategy full empties the dest first, so only these rows would be in it: choose another one."
    return said


def _put_comparison(form: Form, source: Connection, row: FormRow, name: str) -> str:
    driver, query = get_driver(source.driver), build_source_query(form, source)
    # Rows with the very value of the last run come again where the key replaces them, and none that is late is missed.
    sign = ">=" if form.value("merge_strategy") in KEYED else ">"
    neutral = driver.to_neutral(row["source_type"]).name
    value = f"{{{name}}}" if neutral in (*NUMBERS, "bytes") else f"'{{{name}}}'"
    comparison = f"{row['expression'] or driver.quote_identifier(row['source_name'])} {sign} {value}"
    if find_places(query).get(name) == "value":
        return f"The query has {{{name}}} already and stays as it is."
    changed = add_condition(query, comparison)
    form.values["query"] = changed or query
    if changed is None:
        return f"Write {comparison} where it belongs: this query is more than a plain SELECT with conditions."
    return f"The query now has {comparison}, and the watermark {name} below. Look both over."


def _build_watermark(form: Form, source: Connection, dest: Connection, row: FormRow, name: str) -> FormRow:
    proposal = propose_mark(form, source, dest, row)
    return {
        **dict.fromkeys((*WM_FIELDS, "deleted"), ""),
        "name": name,
        "connection_id": str(dest.id),
        "resolver_sql": proposal.sql,
        "default_value": proposal.default,
        "proposed": proposal.sql,
        "proposed_id": str(dest.id),
    }


# -- what is told before anything is made ------------------------------------------------------------------------------


def list_warnings(form: Form, source: Connection) -> list[str]:
    """Placeholders without a watermark, and watermarks without a place in the query."""
    names = [row["name"].strip() for row in form.rows["wm"] if not row["deleted"] and row["name"].strip()]
    return build_placeholder_warnings(build_source_query(form, source), names)


def check_columns(form: Form, found: Sequence[TableColumn]) -> None:
    """Notes where the columns of an edited query are not those of the form."""
    wanted = [row["source_name"] for row in form.rows["col"]]
    given = [column.name for column in found]
    missing = _list_others(wanted, given)
    more = _list_others(given, wanted)
    if missing:
        form.note("query", f"The query no longer gives {', '.join(missing)}. Go back to choose the columns anew.")
    if more:
        form.note("query", f"The query also gives {', '.join(more)}, which is not below. Go back to choose it.")


def _list_others(names: Sequence[str], known: Sequence[str]) -> list[str]:
    folded = {name.casefold() for name in known}
    return [name for name in names if name.casefold() not in folded]
