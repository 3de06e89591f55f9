# Running a module with other watermark values, for one run. Knows the form; edit.py starts the run.
"""`GET /modules/{id}/run` and `read_overrides`."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from pipekit import repo
from pipekit.errors import NotFound
from pipekit.http.state import Db
from pipekit.web.kit.forms import get_rows
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Operator

router = APIRouter(include_in_schema=False)


@router.get("/modules/{module_id:int}/run")
def show_run_form(request: Request, db: Db, user: Operator, module_id: int) -> Response:
    """A value for each watermark; with `?from={run}` those of an earlier run. A blank one is found as always."""
    module = repo.get_module(db, module_id)
    given = _list_values_of(db, module_id, request.query_params.get("from", ""))
    last = next(iter(repo.list_runs(db, module=module_id, limit=1)), None)
    return render(
        request,
        "run_values.html",
        module=module,
        marks=repo.list_watermarks(db, module_id),
        connections={item.id: item.name for item in repo.list_connections(db)},
        given=given,
        last=last.watermark_values if last else {},
    )


def _list_values_of(db: repo.State, module_id: int, text: str) -> Mapping[str, str]:
    """The values of an earlier run of the module, none for anything else."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        return {}
    try:
        run = repo.get_run(db, int(text))
    except NotFound:
        return {}
    return run.watermark_values if run.module_id == module_id else {}


def read_overrides(data: FormData) -> dict[str, str]:
    """The values that were typed; blank ones are not."""
    return {row["name"]: row["value"] for row in get_rows(data, "run", ("name", "value")) if row["value"]}
