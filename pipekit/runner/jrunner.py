# Drives an installed jrunner by its command line. Knows its flags, nothing of how it works.
"""`JrunnerRunner`: reading and moving by jrunner, everything its command line cannot express by our own runner.

jrunner can run one query and print or move its rows. It has no flag for several statements in one transaction, for
types, or for a session that cannot write. So what reads a source or resolves a watermark (a `read_only` endpoint) and
what fills staging goes through jrunner; what looks at the dest or changes it stays with the native runner.
"""

import re
from collections.abc import Collection, Generator, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from pipekit.drivers.jdbc.asking import find_ask
from pipekit.drivers.sqltext import strip_query
from pipekit.errors import Cancelled, RunnerDied, RunnerError, StatementFailed, TimedOut
from pipekit.masking import Masker
from pipekit.runner.jrunner_call import JrunnerCall, Limits, query_file
from pipekit.runner.jrunner_output import Cells, CounterReader, CsvReader
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Load, Loaded, ProgressCallback, QueryResult, ResultColumn, check_claim

# Kinds for which jrunner has a bulk path, unless `jrunner_bulk` says otherwise.
BULK_KINDS = ("postgresql", "sqlserver")
# How a program refuses a flag that its version has not, or not for this dest.
_REFUSES_BULK = re.compile(
    r"(?<![\w-])-b\b|\bbulk\b|^\s*usage:"
    r"|(?:unknown|unrecogni[sz]ed|unsupported|invalid|illegal) (?:option|flag|argument)",
    re.IGNORECASE | re.MULTILINE,
)
_BULK_MEND = (
    "This jrunner may have no -b for {kind}: name the kinds that it has it for as `jrunner_bulk` in config.yaml,"
    " [] for none."
)
# How a URL says what its sessions are called, so that those of a run can be found and ended.
_SESSION_NAMES: Mapping[str, tuple[str, str, str]] = {
    "postgresql": ("?", "&", "ApplicationName"),
    "sqlserver": (";", ";", "applicationName"),
}
NO_CHECK = "note: jrunner converts values by itself; they are not checked one by one\n"


class JrunnerRunner(NativeRunner):
    """A native runner that hands to jrunner what jrunner can do. `program` is its path, or its name on PATH.

    `bulk_kinds` are the kinds of dest for which this jrunner has -b.
    """

    sees_values = False

    def __init__(self, program: str, *, bulk_kinds: Collection[str] = BULK_KINDS, **options: Any) -> None:
        self._jrunner = program
        self._bulk_kinds = bulk_kinds
        self._call: JrunnerCall | None = None
        super().__init__(**options)

    def migrate(
        self, source: Endpoint, sql: str, dest: Endpoint, load: Load, on_progress: ProgressCallback | None = None
    ) -> Loaded:
        """See `Runner.migrate`. jrunner says how many rows it read; how many arrived is counted afterwards."""
        bulk = dest.kind in self._bulk_kinds
        flags = [
            *_flags("d", dest),
            "-dt",
            load.table,
            *(["-t"] if source.trim_char else []),
            *(["-b"] if bulk else []),
        ]
        if load.exact:
            self.log(NO_CHECK)
        check_claim(partial(super().query, dest), load)
        try:
            total = self._move(source, sql, flags, dest, on_progress)
        except RunnerError as error:
            if bulk and _REFUSES_BULK.search(error.message + self.stdout_tail):
                error.hint = _BULK_MEND.format(kind=dest.kind)
            raise
        staged = super().query(dest, f"SELECT count(*) FROM {load.table}").first_cell()
        moved_by = "jrunner bulk" if bulk else "jrunner inserts"
        return Loaded(rows_read=total, rows_staged=int(staged or 0), format=moved_by)

    def _move(
        self, source: Endpoint, sql: str, flags: list[str], dest: Endpoint, on_progress: ProgressCallback | None
    ) -> int:
        """Migration mode, and how many rows jrunner says it moved."""
        counter = CounterReader()
        for item in self._count(source, sql, flags, dest.password, counter):
            if isinstance(item, str):
                line = f"{_masker(source, dest).mask(item)}\n"
                self._keep("stdout", line.encode())
                self.log(line)
            elif on_progress:
                on_progress(item)
        if counter.total is None:
            raise RunnerDied("jrunner ended without saying how many rows it moved.", hint="See the run's log.")
        return counter.total

    def kill(self) -> None:
        """Ends jrunner and the child at once."""
        call, self._call = self._call, None
        if call is not None:
            call.kill()
        super().kill()

    def _blocks(
        self, endpoint: Endpoint, sql: str, limit: int | None, longest: int | None = None
    ) -> Iterator[QueryResult]:
        # What a driver asks of a JDBC catalogue is no SQL; only our own wire knows its words.
        if endpoint.read_only and not find_ask(sql):
            return self._csv_blocks(endpoint, sql, limit)
        return super()._blocks(endpoint, sql, limit, longest)

    def _csv_blocks(self, endpoint: Endpoint, sql: str, limit: int | None) -> Iterator[QueryResult]:
        """Query mode; at least one block, which may be empty."""
        reader, table = CsvReader(), _Table(limit)
        output = self._output(endpoint, sql, ["-f", "csv"], None)
        for text in output:
            block = table.take(reader.feed(text))
            if block is not None:
                yield block
            if table.is_full:
                output.close()
                return
        block = table.take(reader.finish())
        if block is not None:
            yield block
        if not table.columns:
            raise StatementFailed("jrunner printed nothing, not even the names of columns.", hint="See the run's log.")

    def _count(
        self, source: Endpoint, sql: str, flags: list[str], password: str | None, counter: CounterReader
    ) -> Iterator[int | str]:
        for text in self._output(source, sql, flags, password):
            yield from counter.feed(text)
        yield from counter.finish()

    def _output(self, source: Endpoint, sql: str, flags: list[str], password: str | None) -> Generator[str, None, None]:
        """What one jrunner prints; it is gone when this ends, however it ends."""
        silence_s = self._silence_timeout_s
        limits = Limits(stop=self._stop, deadline=self.deadline, run_s=self.limit_s, silence_s=silence_s)
        masker = Masker(text for text in (source.password, password) if text)
        with query_file(strip_query(sql)) as path:
            argv = [self._jrunner, *_flags("s", source), "-sq", str(path), *flags]
            with JrunnerCall(argv, cwd=source.base_dir, limits=limits, tell=self._heard, mask=masker.mask) as call:
                self._call = call
                try:
                    yield from call.read()
                except (Cancelled, TimedOut):
                    self.kill()
                    raise
                finally:
                    self._call = None

    def _heard(self, text: str) -> None:
        self._keep("stderr", text.encode())
        self.log(text)


class _Table:
    """Rows of CSV as blocks, the first row taken for the names of the columns."""

    def __init__(self, limit: int | None) -> None:
        self.columns: tuple[ResultColumn, ...] = ()
        self._left = limit
        self._count = 0

    @property
    def is_full(self) -> bool:
        return bool(self.columns) and self._left is not None and self._left <= 0

    def take(self, rows: list[Cells]) -> QueryResult | None:
        """These rows as a block; None when there is nothing to tell yet."""
        is_first = not self.columns
        if not rows:
            return None
        if is_first:
            self.columns = tuple(ResultColumn(name=name or "") for name in rows[0])
            rows = rows[1:]
        if self._left is not None:
            rows = rows[: self._left]
            self._left -= len(rows)
        for row in rows:
            self._count += 1
            if len(row) != len(self.columns):
                cells = f"{len(row)} cells under {len(self.columns)} columns"
                raise StatementFailed(f"jrunner's CSV cannot be read: row {self._count} has {cells}.")
        return QueryResult(columns=self.columns, rows=tuple(rows)) if rows or is_first else None


def _flags(side: str, endpoint: Endpoint) -> list[str]:
    flags = [f"-{side}cu", _address(endpoint)]
    if endpoint.username is not None:
        flags += [f"-{side}cn", endpoint.username]
    if endpoint.password is not None:
        flags += [f"-{side}cp", endpoint.password]
    return flags


def _address(endpoint: Endpoint) -> str:
    """The URL, with the name that this run's sessions carry where the kind's URL can say it."""
    if endpoint.kind not in _SESSION_NAMES:
        return endpoint.jdbc_url
    first, next_one, name = _SESSION_NAMES[endpoint.kind]
    separator = next_one if first in endpoint.jdbc_url else first
    return f"{endpoint.jdbc_url}{separator}{name}={quote(endpoint.application_name, safe='')}"


def _masker(*endpoints: Endpoint) -> Masker:
    return Masker(endpoint.password for endpoint in endpoints if endpoint.password)
