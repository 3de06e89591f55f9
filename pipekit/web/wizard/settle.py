# What the dest of the wizard decides: its connection, names and types, and what watermarks ask. Knows no request.
"""`settle_dest`, `find_dest_place`, `propose_watermarks`, `propose_mark`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver
from pipekit.engine.planning.naming import clean_name, propose_name
from pipekit.engine.watermarks.comparisons import find_lower_bounds
from pipekit.models import Connection
from pipekit.web.kit.forms import Form, FormRow
from pipekit.web.modules.watermark_values import DestPlace
from pipekit.web.wizard.form import build_source_query, find_connection, read_table

NUMBERS = frozenset({"int16", "int32", "int64", "float32", "float64", "decimal"})
_MOMENTS = frozenset({"date", "timestamp", "timestamptz"})


def settle_dest(db: repo.State, form: Form, source: Connection) -> Connection:
    """Fills what the dest decides and nobody typed: connection, schema, table, name, types of another kind's dest."""
    dest = find_connection(db, form, "dest_id") or choose_dest(db, source)
    form.values["dest_id"] = str(dest.id)
    driver = get_driver(dest.driver)
    if form.value("mapped_for") != dest.driver:
        # Without a schema the table is where the session makes it.
        form.values |= {"mapped_for": dest.driver, "dest_schema": ""}
        for row in form.rows["col"]:
            row["dest_type"] = ""
            proposed = propose_name(driver, row["source_name"])
            if row["dest_name"].casefold() == proposed.casefold():
                row["dest_name"] = proposed
    fill_types(form, source, driver)
    proposed = clean_name(form.value("table") or "result", lower=True) or "result"
    form.values.setdefault("dest_table", proposed)
    form.values.setdefault("name", find_free_name(db, proposed))
    propose_watermarks(form, source, dest)
    return dest


def choose_dest(db: repo.State, source: Connection) -> Connection:
    """Where the newest module of this source goes, else the newest that goes elsewhere, else the first other one."""
    known = {item.id: item for item in repo.list_connections(db)}
    newest = sorted(repo.list_modules(db), key=lambda module: module.id, reverse=True)
    used = [module.dest_id for module in newest if module.source_id == source.id]
    used += [module.dest_id for module in newest if module.dest_id != source.id]
    used += [item.id for item in known.values() if item.id != source.id]
    return known[used[0]] if used else source


def fill_types(form: Form, source: Connection, dest: Driver) -> None:
    """Maps the source type of each column whose dest type is blank."""
    for row in form.rows["col"]:
        if not row["dest_type"].strip():
            row["dest_type"] = dest.map_type(row["source_type"], get_driver(source.driver))


def find_free_name(db: repo.State, name: str) -> str:
    """The name, or the first like it that no module has."""
    found, number = name[:60], 2
    while repo.find_module_by_name(db, found):
        found, number = f"{name[:56]}_{number}", number + 1
    return found


def find_dest_place(form: Form, dest: Connection) -> DestPlace | None:
    """The form's dest table; None where it has no name that can be."""
    table = read_table(Form(values=form.values), get_driver(dest.driver))
    return DestPlace(connection=dest, table=table) if table else None


# -- watermarks --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What a watermark asks, and its value when there is none yet."""

    sql: str
    default: str


def propose_watermarks(form: Form, source: Connection, dest: Connection) -> None:
    """Fills in what a watermark asks where nobody has: the greatest value of the column it is compared with.

    What was proposed before, for another table, is proposed anew. The dest is asked, unless somebody chose otherwise.
    """
    query = build_source_query(form, source)
    bounds = find_lower_bounds(query) | _find_expressed(query, form.rows["col"])
    rows = {row["source_name"].casefold(): row for row in form.rows["col"]}
    for mark in form.rows["wm"]:
        if mark["resolver_sql"] not in ("", mark["proposed"]) or not mark["name"].strip():
            continue
        column = rows.get(bounds.get(mark["name"].strip(), "").casefold())
        proposal = propose_mark(form, source, dest, column) if column else Proposal(sql="", default="")
        if mark["connection_id"] in ("", mark["proposed_id"]):
            mark["connection_id"] = mark["proposed_id"] = str(dest.id)
        if not mark["proposed"]:
            mark["default_value"] = mark["default_value"] or proposal.default
        mark["resolver_sql"] = mark["proposed"] = proposal.sql


def _find_expressed(query: str, columns: Sequence[FormRow]) -> dict[str, str]:
    """For each `{name}` that an expression of ours is compared with, the column that it is in the query."""
    found: dict[str, str] = {}
    for column in columns:
        if column["expression"]:
            compared = re.escape(column["expression"]) + r"\s*>=?\s*'?\{(\w+)\}"
            found |= dict.fromkeys(re.findall(compared, query), column["source_name"])
    return found


def propose_mark(form: Form, source: Connection, dest: Connection, column: FormRow) -> Proposal:
    """The greatest value of a column in the form's dest table; before the first row one below all others."""
    driver, neutral = get_driver(dest.driver), get_driver(source.driver).to_neutral(column["source_type"]).name
    table = read_table(Form(values=form.values), driver)
    shown = driver.quote_table(driver.parse_table(table)) if table else ""
    sql = f"SELECT max({driver.quote_identifier(column['dest_name'])}) FROM {shown}" if shown else ""
    default = "0" if neutral in NUMBERS else "0x0" if neutral == "bytes" else ""
    return Proposal(sql=sql, default="1900-01-01" if neutral in _MOMENTS else default)
