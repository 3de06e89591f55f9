# PostgreSQL as a source and as a sink: COPY out of a query, COPY into a staging table. Loaded in the runner child only.
"""`PostgresSource` and `PostgresSink`."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from pipekit.drivers.postgresql.copytext import decode_rows, find_bad_bytes, find_copy_place
from pipekit.drivers.postgresql.encode import RowEncoder
from pipekit.drivers.postgresql.late import build_hold_sql
from pipekit.drivers.postgresql.link import Described
from pipekit.drivers.postgresql.names import quote_identifier, read_table
from pipekit.drivers.postgresql.transactions import Transactions
from pipekit.drivers.wire import Count, Format, Stream
from pipekit.errors import Inexact, StatementFailed
from pipekit.runner_contract import Load, ResultColumn

# Types whose binary form is the same in every server, and their arrays: bool bytea name int8 int2 int4 text json cidr
# float4 float8 macaddr inet bpchar varchar date time timestamp timestamptz interval timetz numeric uuid jsonb.
_SCALARS = {16, 17, 19, 20, 21, 23, 25, 114, 650, 700, 701, 829, 869, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266}
_ARRAYS = {1000, 1001, 1003, 1016, 1005, 1007, 1009, 199, 651, 1021, 1022, 1040, 1041, 1014, 1015, 1182, 1183, 1115}
SAFE_IN_BINARY = _SCALARS | _ARRAYS | {1700, 2950, 3802} | {1185, 1187, 1270, 1231, 2951, 3807}

# From 17 on the largest interval, also in an array, means one without end; an older server takes it for what it says.
_INTERVALS = {1186: "NOT isfinite({0})", 1187: "EXISTS (SELECT FROM unnest({0}) AS e WHERE NOT isfinite(e))"}
_INFINITE_INTERVALS = 170000

FORMATS: tuple[Format, ...] = ("copy-binary", "copy-text", "rows")
CHECKED_FORMATS: tuple[Format, ...] = ("arrow", "rows")
SINK_FORMATS: tuple[Format, ...] = ("copy-binary", "copy-text", *CHECKED_FORMATS)


class Encoder(Protocol):
    """Turns a block whose first row has this number into COPY text; raises Inexact."""

    def encode(self, block: Any, first_row: int) -> bytes:
        """The block as COPY text."""
        ...


# Bytes that are no text in the client's encoding, and the encoding of a database that does not look at them.
BAD_BYTES, UNCHECKED = "22021", "SQL_ASCII"
# A malformed stream is our fault, not a value's.
_BAD_COPY_FORMAT = "22P04"


def build_signature(described: Described, server_version: int) -> tuple[object, ...] | None:
    """The exact types of the columns when each may travel in binary, else None.

    A type that not all servers read in the same way has the servers that do beside it.
    """
    if not all(oid in SAFE_IN_BINARY for _, oid, _ in described):
        return None
    is_new = server_version >= _INFINITE_INTERVALS
    return tuple((oid, modifier, is_new if oid in _INTERVALS else None) for _, oid, modifier in described)


class PostgresSource:
    """A described query; see `drivers.wire.Source`."""

    def __init__(
        self, session: Transactions, query: str, described: Described, columns: tuple[ResultColumn, ...]
    ) -> None:
        self.columns = columns
        self._session = session
        self._query = query
        self._described = described

    def formats(self) -> Sequence[Format]:
        """Binary where every type allows it, text always."""
        return FORMATS if self.type_signature() else FORMATS[1:]

    def type_signature(self) -> tuple[object, ...] | None:
        """Type oids and modifiers, and where it matters the server's age."""
        return build_signature(self._described, self._session.link.server_version)

    def open(self, format: Format) -> Stream:
        """Starts the COPY when the first block is asked for."""
        is_binary = format == "copy-binary"
        is_old = self._session.link.server_version < _INFINITE_INTERVALS
        finite = [i for i, (_, oid, _) in enumerate(self._described) if is_old and oid in _INTERVALS]
        stream = Stream(format=format, columns=self.columns, blocks=iter(()), finite=tuple(finite))

        def keep_total(rows: int) -> None:
            stream.total = rows

        sql = f"COPY (\n{self._query}\n) TO STDOUT{' (FORMAT binary)' if is_binary else ''}"
        blocks = self._read(sql, int(is_binary), keep_total)
        stream.blocks = decode_rows(blocks, self.columns) if format == "rows" else blocks
        return stream

    def close(self) -> None:
        """Lets go of the tables."""
        self._session.roll_back()

    def _read(self, sql: str, trailers: int, keep_total: Count) -> Iterator[tuple[bytes, int]]:
        """Everything the plan names is locked when COPY takes its snapshot; what is locked later is looked at."""
        link = self._session.link
        try:
            held = link.fetch(build_hold_sql(self._query))
            yield from link.copy_out(sql, trailers, keep_total)
            self._session.end_reading(held)
        except StatementFailed as error:
            if error.sqlstate == BAD_BYTES and link.server_encoding == UNCHECKED:
                self._name_bad_bytes(error)
            raise
        finally:
            self.close()

    def _name_bad_bytes(self, error: StatementFailed) -> None:
        """Reads once more, as bytes, to say in which row and column the server met bytes that are no text."""
        self._session.begin()
        self._session.link.run(f"SET LOCAL client_encoding TO '{UNCHECKED}'")
        blocks = self._session.link.copy_out(f"COPY (\n{self._query}\n) TO STDOUT", 0, lambda rows: None)
        with contextlib.closing(blocks):
            row, place = find_bad_bytes(block for block, _ in blocks)
        if row:
            error.row, error.column = row, self.columns[place].name
            error.message = f"Row {row}, column {error.column}: {error.message}"
            error.hint = f"The source's encoding is {UNCHECKED}, which lets any bytes in: mend these there."


class PostgresSink:
    """A table that is to be filled; see `drivers.wire.LastingSink`."""

    def __init__(self, session: Transactions, load: Load) -> None:
        self._session = session
        self._load = load
        self._names = [column.stage_name for column in load.columns]
        chosen = ", ".join(quote_identifier(name) for name in self._names)
        self._described = session.link.describe(f"SELECT {chosen} FROM {load.table}")
        self._copy = f"COPY {load.table} ({chosen}) FROM STDIN"
        self.counts: dict[str, int] = {}

    def formats(self) -> Sequence[Format]:
        """Everything there is; binary only where the signatures are equal, COPY only where no value needs a look."""
        if any(column.checked for column in self._load.columns):
            return CHECKED_FORMATS
        return SINK_FORMATS if self.type_signature() else SINK_FORMATS[1:]

    def type_signature(self) -> tuple[object, ...] | None:
        """Type oids and modifiers of the staging columns, and where it matters the server's age."""
        return build_signature(self._described, self._session.link.server_version)

    def load(self, stream: Stream, on_rows: Count) -> int:
        """One COPY in one transaction; a refused row leaves the table as it was and is named by row and column.

        The commit of staging need not reach the disk: a crash empties an unlogged table in any case.
        """
        lasts = bool(self._load.before)
        self._session.begin("" if lasts else "SET LOCAL synchronous_commit TO off")
        try:
            self._session.run_statements(self._load.before, self.counts)
            encoder = self._find_encoder(stream.format)
            rows = self._session.link.copy_in(
                self._build_copy(stream.format), _feed(stream, encoder, on_rows), self._find_place
            )
            self._check_finite(stream)
        except StatementFailed as error:
            self._session.roll_back()
            raise _name_place(error) from None
        except BaseException:
            self._session.roll_back()
            raise
        if not lasts:
            self._session.commit()
        return rows

    def _build_copy(self, format: Format) -> str:
        options = ["FORMAT binary"] if format == "copy-binary" else []
        options += ["FREEZE"] if self._load.freezes else []
        return self._copy + (f" ({', '.join(options)})" if options else "")

    def _check_finite(self, stream: Stream) -> None:
        """The largest interval of an older server would be an infinite one here."""
        for place in stream.finite:
            oid, name = self._described[place][1], quote_identifier(self._names[place])
            infinite = _INTERVALS.get(oid, "false").format(name)
            if self._session.link.fetch(f"SELECT 1 FROM {self._load.table} WHERE {infinite} LIMIT 1"):
                message = f"Column {self._names[place]}: the largest interval of the source means one without end here."
                raise Inexact(message, hint="Cast the column to text in the query.", column=self._names[place])

    def _find_encoder(self, format: Format) -> Encoder | None:
        """What turns a block into COPY text; None for the formats that are COPY's own."""
        if format not in ("rows", "arrow"):
            return None
        types = [column.type for column in self._session.name_columns(self._described)]
        columns = list(zip(self._names, types, strict=True))
        if format == "rows":
            return RowEncoder(columns, self._load.exact)
        # Loaded late: most moves need no Arrow.
        from pipekit.drivers.postgresql.batches import BatchEncoder

        return BatchEncoder(columns, self._load.exact)

    def _find_place(self, context: str) -> tuple[int | None, str]:
        return find_copy_place(context, read_table(self._load.table)[-1][0], self._names)


def _feed(stream: Stream, encoder: Encoder | None, on_rows: Count) -> Iterator[bytes]:
    rows = 0
    for block, count in stream.blocks:
        yield encoder.encode(block, rows + 1) if encoder else block
        rows += count
        on_rows(rows)


def _name_place(error: StatementFailed) -> StatementFailed | Inexact:
    """A refused value becomes Inexact; failures that carry no row, the source's own among them, stay what they are."""
    if error.row is None or error.message.startswith(f"Row {error.row}, "):
        return error
    kind = Inexact if error.sqlstate.startswith("22") and error.sqlstate != _BAD_COPY_FORMAT else StatementFailed
    place = f"Row {error.row}" + (f", column {error.column}" if error.column else "")
    return kind(
        f"{place}: {error.message}",
        hint=error.hint,
        sqlstate=error.sqlstate,
        column=error.column,
        row=error.row,
    )
