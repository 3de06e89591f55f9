# A module's dest as it is, and the modules around it: asked behind the page and kept. Knows looks, no run.
"""`/modules/{id}/dest`, and what the page of a module shows of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.engine.looking.lineage import Lineage, find_lineage, sign_asked
from pipekit.engine.looking.module_look import look_at_dest, look_at_query
from pipekit.engine.variables import fill, fill_table
from pipekit.engine.watermarks.resolve import fill_placeholders
from pipekit.errors import PipekitError
from pipekit.http.state import Context, ContextDep, Db
from pipekit.models import Connection, Module
from pipekit.repo import module_looks
from pipekit.repo.module_looks import ModuleLook
from pipekit.web.kit.answers import go, say_error
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Operator

router = APIRouter(include_in_schema=False)

# What was seen is asked again behind the page when it is older.
FRESH_S = 3600
COLUMN_FIELDS = ("name", "type", "nullable", "in_key", "generated", "comment")


@dataclass(frozen=True, kw_only=True, slots=True)
class DestView:
    """What is kept of a look, None where nobody has looked or at something else; `is_old` asks for another one."""

    look: ModuleLook | None
    is_old: bool
    lineage: Lineage


def build_dest_view(db: repo.State, module: Module, connections: Mapping[int, Connection]) -> DestView:
    """From what is kept; asks no database."""
    asked = sign_asked(module, connections)
    kept = module_looks.find_look(db, module.id)
    look = kept if kept and kept.asked == asked else None
    age_s = (datetime.now(UTC) - datetime.fromisoformat(look.at)).total_seconds() if look else FRESH_S
    near = module_looks.list_near(
        db,
        sources=_list_same(connections, module.dest_id),
        dests=_list_same(connections, module.source_id),
    )
    lineage = find_lineage(module, near, connections, module_looks.list_query_tables(db))
    return DestView(look=look, is_old=age_s >= FRESH_S, lineage=lineage)


def _list_same(connections: Mapping[int, Connection], connection_id: int) -> list[int]:
    """The connections that lead to the same database."""
    meant = connections[connection_id]
    return [item.id for item in connections.values() if (item.driver, item.jdbc_url) == (meant.driver, meant.jdbc_url)]


@router.post("/modules/{module_id:int}/dest")
def look(request: Request, db: Db, context: ContextDep, user: Operator, module_id: int) -> Response:
    """Looks at the dest and the query, keeps what is seen, and shows it; without scripts it leads back to the page."""
    module = repo.get_module(db, module_id)
    connections = {item.id: item for item in repo.list_connections(db)}
    module_looks.keep_look(db, module_id, _look(context, db, module, connections))
    if "hx-request" not in request.headers:
        return go(request, f"/modules/{module_id}#columns")
    view = build_dest_view(db, module, connections)
    return render(request, "_module_dest.html", module=module, dest=view)


def _look(context: Context, db: repo.State, module: Module, connections: Mapping[int, Connection]) -> ModuleLook:
    source, dest = connections[module.source_id], connections[module.dest_id]
    asked = sign_asked(module, connections)
    try:
        with context.looks.open(dest) as look:
            columns = look_at_dest(look, fill_table(dest, module.dest_table))
        with context.looks.open(source) as look:
            tables = look_at_query(look, _fill_query(db, module, source))
    except PipekitError as error:
        shown = say_error(context, error)
        told = f"{shown['message']} {shown['hint']}".strip()
        return ModuleLook(at=repo.now(), asked=asked, columns=(), tables=None, problem=told)
    return ModuleLook(
        at=repo.now(),
        asked=asked,
        columns=[{name: asdict(column)[name] for name in COLUMN_FIELDS} for column in columns],
        tables=None if tables is None else [(table.schema, table.name) for table in tables],
    )


def _fill_query(db: repo.State, module: Module, source: Connection) -> str:
    """With the values of the last run, or what stands in for them."""
    values = {mark.name: mark.default_value for mark in repo.list_watermarks(db, module.id) if mark.default_value}
    for run in repo.list_runs(db, module=module.id, limit=1):
        values |= run.watermark_values
    return fill_placeholders(fill(source, module.source_query), values)
