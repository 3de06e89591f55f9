# A state file of the first Pipekit -> a definition file, a report, and records of its runs. Writes nothing.
"""`import_state` and `each_run`."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipekit.cutting import cut
from pipekit.definitions.export import build_yaml
from pipekit.definitions.parse import list_refusals
from pipekit.first_pipekit.columns import NAMES, Item, Table
from pipekit.first_pipekit.reading import Reader
from pipekit.first_pipekit.report import Runs, build_report
from pipekit.masking import Masker
from pipekit.repo.archive import ArchivedRun
from pipekit.repo.first_state import FirstState, open_first_state

HEADER = (
    "# Made by `pipekit import-state`. Read its report first: a module that was not understood whole is disabled.\n"
)
# What a chunk of a log is called in the table it lies in.
_TEXT_COLUMNS = ("text", "chunk", "line", "content")
_ORDER_COLUMNS = ("seq", "chunk_no", "start", "id")


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """A definition file's text, the report on it, how many modules and how many of them disabled, and runs."""

    text: str
    report: str
    modules: int
    disabled: int
    runs: int


def import_state(path: Path) -> Imported:
    """Reads what a state file of the first Pipekit defines. Raises what `open_first_state` raises."""
    with open_first_state(path) as state:
        reader = Reader(state)
        masker = reader.masker()
        text = masker.mask(HEADER + build_yaml(reader.definitions))
        runs = _count_runs(state)
        report = masker.mask(
            build_report(reader, runs, state.count("user") + state.count("users"), list_refusals(text))
        )
    modules = [draft.module for draft in reader.drafts.values()]
    disabled = sum(not module.enabled for module in modules)
    return Imported(text=text, report=report, modules=len(modules), disabled=disabled, runs=runs.count)


def each_run(path: Path, more: Masker) -> Iterator[ArchivedRun]:
    """The record of each run of a file, the oldest first, passwords and what `more` knows taken out."""
    with open_first_state(path) as state:
        reader = Reader(state)
        maskers = (reader.masker(), more)
        groups = {str(item.id): reader.find_group(item.values["group"]) for item in Table(state, "group_run").each()}
        with ExitStack() as open_tables:
            logs = [_Child(state, *child) for child in _list_children(state)]
            for log in logs:
                open_tables.callback(log.rows.close)
            for item in Table(state, "run_log").each():
                record = dict(item.row)
                for log in logs:
                    record |= log.take(item.id)
                if group := groups.get(item.text("group_run")):
                    record["group"] = group
                yield _build_run(item, reader, _mask(record, maskers))


def _count_runs(state: FirstState) -> Runs:
    items = Table(state, "run_log").each()
    count, first, last = 0, "", ""
    for item in items:
        started = item.text("started_at")
        count, first, last = count + 1, min(filter(None, (first, started)), default=""), max(last, started)
    return Runs(count, first, last)


def _list_children(state: FirstState) -> Iterator[tuple[str, str]]:
    """(table, column) of each table whose rows belong to a run."""
    for table in sorted(state.tables - {"run_log"}):
        known = state.list_columns(table)
        named = [name for name in ("run_id", "run_log_id") if name in known]
        if found := [*state.list_references(table, "run_log"), *named]:
            yield table, found[0]


class _Child:
    """A table whose rows belong to runs, walked through beside them, in the order of their ids."""

    def __init__(self, state: FirstState, table: str, column: str) -> None:
        self._table, self._column = table, column
        self.rows = state.each(table, column, *_ORDER_COLUMNS)
        self._next = next(self.rows, None)

    def take(self, run_id: Any) -> dict[str, Any]:
        """The rows of this run: a log's text where it is one, else the rows under their table's name."""
        found = []
        while self._next is not None and _is_up_to(self._next[self._column], run_id):
            if self._next[self._column] == run_id:
                found.append({name: value for name, value in self._next.items() if name != self._column})
            self._next = next(self.rows, None)
        text = next((name for name in _TEXT_COLUMNS if found and name in found[0]), "")
        if text:
            return {"live_log": "".join(str(row[text]) for row in found)}
        return {self._table: found} if found else {}


def _is_up_to(value: Any, run_id: Any) -> bool:
    try:
        return value is None or bool(value <= run_id)
    except TypeError:
        return True


def _mask(value: Any, maskers: tuple[Masker, ...]) -> Any:
    if isinstance(value, dict):
        return {name: _mask(item, maskers) for name, item in value.items()}
    if isinstance(value, list):
        return [_mask(item, maskers) for item in value]
    for masker in maskers:
        value = masker.mask(value) if isinstance(value, str) else value
    return value


def _build_run(item: Item, reader: Reader, record: Mapping[str, Any]) -> ArchivedRun:
    told = item.text("module_name")
    rows = item.text("rows")
    return ArchivedRun(
        first_id=str(item.id),
        module=reader.find_module(item.values.get("module")) or told or "?",
        status=item.text("status") or "?",
        triggered_by=item.text("triggered_by"),
        started_at=item.text("started_at"),
        finished_at=item.text("finished_at"),
        rows=int(rows) if rows.isdecimal() and len(rows) < 19 else None,
        error=_read_error(record),
        record=record,
    )


def _read_error(record: Mapping[str, Any]) -> str:
    """The error as it stands in the record, masked there."""
    found = next((record[name] for name in NAMES["run_log"]["error"] if record.get(name)), "")
    return cut(str(found))
