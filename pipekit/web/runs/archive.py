# Runs of the first Pipekit that were kept: the list, and one with all that was recorded of it.
"""`/runs/archive` and `/runs/archive/{id}`."""

import json
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from pipekit import repo
from pipekit.http.state import Db
from pipekit.web.kit.render import render
from pipekit.web.kit.sessions import Viewer
from pipekit.web.runs.show import PAGE_ROWS, STATUSES, read_number

router = APIRouter(include_in_schema=False)


@router.get("/runs/archive")
def show_archive(request: Request, db: Db, user: Viewer) -> Response:
    """Archived runs, those that were kept last first, by module."""
    module = request.query_params.get("module", "").strip()[:200]
    before = read_number(request.query_params.get("before", ""))
    found = repo.list_archived_runs(db, module=module or None, limit=PAGE_ROWS + 1, before_id=before)
    older = {"module": module, "before": found[PAGE_ROWS - 1].id} if len(found) > PAGE_ROWS else {}
    return render(
        request,
        "archive.html",
        runs=found[:PAGE_ROWS],
        older=urlencode(older),
        module=module,
        is_first=before is None,
        statuses=STATUSES,
    )


@router.get("/runs/archive/{archived_id:int}")
def show_archived_run(request: Request, db: Db, user: Viewer, archived_id: int) -> Response:
    """One of them: short values as a list, long ones as they were."""
    run = repo.get_archived_run(db, archived_id)
    texts = {name: _write(value) for name, value in run.record.items() if value not in (None, "", [])}
    facts = {name: text for name, text in texts.items() if "\n" not in text and len(text) <= 200}
    longer = {name: text for name, text in texts.items() if name not in facts}
    return render(request, "archived_run.html", run=run, facts=facts, longer=longer, statuses=STATUSES)


def _write(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
