# The database server's requests, connection by connection. Knows what answers are, and neither tables nor tests.
"""`DatabaseServer`: statements, cursors, LOBs and transactions as jt400 asks for them."""

import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from tests.databases.ibmi import replies
from tests.databases.ibmi.answers import (
    DONE,
    END,
    LAST,
    Answer,
    Called,
    Count,
    Mischief,
    Outcome,
    Ring,
    Row,
    Rows,
    Talk,
    Trouble,
    fail,
)
from tests.databases.ibmi.columns import DBCLOB_LOCATOR, Column, varchar
from tests.databases.ibmi.entrance import answer_start
from tests.databases.ibmi.replies import Job
from tests.databases.ibmi.values import count_units, encode_text
from tests.databases.ibmi.wire import (
    CODECS,
    Gone,
    Request,
    build_part,
    build_reply,
    get_long,
    get_short,
    put_long,
    put_short,
    receive,
)

WANTED, WANTED_FORMAT, WANTED_SQLCA, WANTED_ATTRIBUTES, WANTED_MARKERS = (
    0x80000000, 0x08000000, 0x02000000, 0x01000000, 0x00800000)  # fmt: skip
WANTED_CURSOR = 0x00008000
# What of the wanted is not said to be in the reply: neither packing nor shortened fields are.
_NEVER = 0x000D0000
_STALLED_S = 60
_YES = 0xE8
# What a connection is told of who is at the other end.
_CLIENT = {0x3838: "APPLNAME", 0x3839: "USERID", 0x383A: "WRKSTNNAME", 0x383B: "PROGRAMID", 0x3837: "ACCTNG"}


class Place(Protocol):
    """What a connection needs of the host."""

    delay_s: float

    def note(self, what: str) -> None: ...
    def expect_cancel(self, job: str) -> threading.Event: ...
    def cancel(self, job: str) -> None: ...


@dataclass(slots=True)
class Cursor:
    """An open result: the rows that are left, and how many were given."""

    what: Rows
    rows: Iterator[Row]
    given: int = 0
    is_ended: bool = False


@dataclass(slots=True)
class Work:
    """The request in hand, with what its block of parameters (RPB) holds."""

    request: Request
    parts: Mapping[int, bytes]
    markers: int
    outcome: Outcome = DONE
    body: bytes = b""

    @property
    def statement(self) -> bytes:
        """The statement's name."""
        return _read_name(self.parts.get(0x3806, b""))

    @property
    def cursor(self) -> bytes:
        """The cursor's name."""
        return _read_name(self.parts.get(0x380B, b""))


@dataclass(slots=True)
class DatabaseServer:
    """One connection, from its first request to its end."""

    place: Place
    talk: Talk
    connection: socket.socket
    job: Job
    blocks: dict[int, dict[int, bytes]] = field(default_factory=dict)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    answers: dict[bytes, Answer] = field(default_factory=dict)
    cursors: dict[bytes, Cursor] = field(default_factory=dict)
    formats: dict[int, list[Column]] = field(default_factory=dict)
    called_with: Row = ()

    def run(self) -> None:
        """Answers until the driver is gone; raises Gone."""
        while (request := receive(self.connection)).id != 0x1FFF:
            started = answer_start(request, self.job.ccsid, self.job.name)
            if started is not None:
                self.connection.sendall(started)
                continue
            work = self._take(request)
            self._handle(work)
            if request.bitmap & WANTED:
                time.sleep(self.place.delay_s)
                self.connection.sendall(self._build_reply(work))

    def _take(self, request: Request) -> Work:
        block, markers = get_short(request.data, 34), get_short(request.data, 36)
        kept = self.blocks.setdefault(block, {})
        if request.id in (0x1D00, 0x1D02):
            kept.clear()
        if 0x3817 in request.parts:
            self.place.note(f"TIMEOUT={get_long(request.parts[0x3817])}")
        if request.id in (0x1D00, 0x1D03, 0x1D04):
            kept.update(request.parts)
        return Work(request, {**kept, **request.parts}, markers)

    def _handle(self, work: Work) -> None:
        handle = _HANDLERS.get(work.request.id)
        if handle is None:
            raise ValueError(f"unknown request {work.request.id:04x}: {work.request.data[:200].hex(' ')}")
        handle(self, work)
        if work.request.id != 0x1F00:
            self.outcomes[get_short(work.request.data, 34)] = work.outcome

    # -- the connection ------------------------------------------------------------------------------------------------

    def do_nothing(self, work: Work) -> None:
        """Blocks of parameters are kept before; results and descriptors that are thrown away cost nothing."""

    def set_attributes(self, work: Work) -> None:
        parts, formats = work.request.parts, self.job.formats
        if 0x3807 in parts:
            formats = replace(formats, date=get_short(parts[0x3807]))
        if 0x3809 in parts:
            formats = replace(formats, time=get_short(parts[0x3809]))
        self.job.formats = formats
        if 0x3824 in parts:
            self.job.autocommit = parts[0x3824][0] == _YES
        for code, name in _CLIENT.items():
            if parts.get(code, b"")[4:]:
                self.place.note(f"{name}={parts[code][4:].decode(CODECS[get_short(parts[code])])}")
        self.place.expect_cancel(self.job.name)

    def say_alive(self, work: Work) -> None:
        """An unknown request is what the driver asks a connection that it doubts; this answer means it lives."""
        work.outcome = Outcome(7, -201)

    def commit(self, work: Work) -> None:
        is_commit = work.request.id == 0x1807
        self.place.note("COMMIT" if is_commit else "ROLLBACK")
        self.talk.end(is_commit)

    def cancel(self, work: Work) -> None:
        name = work.request.parts[0x3826]
        self.place.cancel(name[4:].decode(CODECS[get_short(name)]))

    def repeat(self, work: Work) -> None:
        """After every error or warning the driver asks once more, by the handle that the results were returned to."""
        work.outcome = self.outcomes.get(get_short(work.request.data, 28), DONE)

    # -- statements ----------------------------------------------------------------------------------------------------

    def describe_markers(self, work: Work) -> None:
        self.formats[work.markers] = replies.read_format(work.request.parts[0x381E])

    def prepare(self, work: Work) -> None:
        sql = _read_sql(work.parts)
        self.place.note(sql)
        answer = self.talk.answer(sql)
        if isinstance(answer, Outcome):
            self.answers.pop(work.statement, None)
            work.outcome = answer
        else:
            self.answers[work.statement] = _with_markers(answer, sql)

    def execute(self, work: Work) -> None:
        """EXECUTE, EXECUTE IMMEDIATE, and both with PREPARE."""
        if 0x3807 in work.request.parts or 0x3831 in work.request.parts:
            self.prepare(work)
        if work.outcome.is_error:
            return
        answer = self.answers[work.statement]
        rows = self._read_parameters(work)
        if isinstance(answer, Called):
            self.called_with = rows[0]
            work.outcome = Outcome(1, 466, "0100C", 466, counts=(0, 1, 0, 0, 0, 0), message="SQL0466")
        elif isinstance(answer, Count):
            work.outcome = _count(answer, rows)
            if self.job.autocommit:
                self.talk.end(commit=not work.outcome.is_error)

    def open(self, work: Work) -> None:
        """OPEN, also with DESCRIBE and FETCH."""
        answer = self.answers[work.statement]
        assert isinstance(answer, Rows)
        refused = self._wait(answer, work)
        if refused:
            work.outcome = refused
            return
        given = self.called_with if isinstance(answer, Called) else self._read_parameters(work)[0]
        rows = answer.rows(given) if callable(answer.rows) else answer.rows
        self.cursors[work.cursor] = Cursor(answer, iter(rows))
        if work.request.id == 0x180E:
            self.fetch(work)

    def _wait(self, answer: Rows, work: Work) -> Outcome | None:
        """Takes the time that the query takes, unless its own limit or a cancel ends it."""
        if not answer.delay_s:
            return None
        limit = int.from_bytes(work.parts.get(0x3817, b"\xff\xff\xff\xff"), "big", signed=True)
        if 0 < limit < answer.delay_s:
            return fail(-666, "57005", "SQL query exceeds specified time limit or storage limit.")
        if self.place.expect_cancel(self.job.name).wait(answer.delay_s):
            return fail(-952, "57014", "Processing of the SQL statement ended. Reason code 10.")
        return None

    def _read_parameters(self, work: Work) -> list[Row]:
        sent = work.request.parts.get(0x381F) or work.request.parts.get(0x3811)
        return replies.read_rows(sent, self.formats[work.markers], self.job) if sent else [()]

    # -- results -------------------------------------------------------------------------------------------------------

    def fetch(self, work: Work) -> None:
        cursor = self.cursors.get(work.cursor)
        if cursor is None:
            work.outcome = fail(-501, "24501", "Cursor not open.")
        elif cursor.is_ended:
            work.outcome = END
        else:
            self.place.note("FETCH")
            wanted = _count_wanted(work.parts, cursor.what.columns)
            if isinstance(cursor.what, Ring):
                self._turn(cursor.what, cursor, wanted, work)
                return
            rows = self._take_rows(cursor, wanted, work)
            if rows and not work.outcome.is_error:
                work.body += build_part(replies.DATA, replies.build_rows(cursor.what.columns, rows, self.job))

    def _turn(self, ring: Ring, cursor: Cursor, wanted: int, work: Work) -> None:
        start, count = cursor.given, min(wanted, ring.count - cursor.given)
        cursor.given += count
        if count < wanted:
            cursor.is_ended, work.outcome = True, LAST if count else END
        if count:
            work.body += build_part(replies.DATA, replies.turn(ring, start, count))

    def _take_rows(self, cursor: Cursor, wanted: int, work: Work) -> list[Row]:
        """The next rows. The block ends behind the one that brings a warning."""
        before = cursor.given
        troubles = [trouble for trouble in cursor.what.troubles if trouble.at >= before]
        first: Trouble | None = min(troubles, key=lambda trouble: trouble.at, default=None)
        rows = list(itertools.islice(cursor.rows, wanted if first is None else min(wanted, first.at + 1 - before)))
        cursor.given += len(rows)
        if first is not None and cursor.given > first.at:
            self._make_trouble(first, rows, cursor, work)
        elif len(rows) < wanted:
            cursor.is_ended, work.outcome = True, LAST if rows else END
        return rows

    def _make_trouble(self, trouble: Trouble, rows: list[Row], cursor: Cursor, work: Work) -> None:
        if isinstance(trouble.what, Outcome):
            work.outcome = trouble.what
            return
        if trouble.what is Mischief.STALL:
            self.place.expect_cancel(self.job.name).wait(_STALLED_S)
        if trouble.what is Mischief.GARBLE:
            self.connection.sendall(b"\xff" * 64)
        if trouble.what is Mischief.RESET:
            work.body += build_part(replies.DATA, replies.build_rows(cursor.what.columns, rows, self.job))
            reply = self._build_reply(work)
            self.connection.sendall(reply[: len(reply) // 2])
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Gone

    def close(self, work: Work) -> None:
        self.cursors.pop(work.cursor, None)

    # -- LOBs ----------------------------------------------------------------------------------------------------------

    def read_lob(self, work: Work) -> None:
        parts = work.request.parts
        value, column = self.job.lobs[get_long(parts[0x3818])]
        data = encode_text(column, value)
        unit = 2 if column.type == DBCLOB_LOCATOR else 1
        start = get_long(parts[0x381A]) * unit
        part = data[start : start + get_long(parts[0x3819]) * unit]
        work.body += build_part(0x380F, put_short(column.ccsid) + put_long(count_units(column, part)) + part)
        if 0x3821 in parts:
            work.body += build_part(0x3810, put_short(4) + put_long(count_units(column, data)))

    def write_lob(self, work: Work) -> None:
        parts = work.request.parts
        value, column = self.job.lobs[get_long(parts[0x3818])]
        at = get_long(parts[0x381A]) * (2 if column.type == DBCLOB_LOCATOR else 1)
        # The handle of a marker is written again for each row.
        if at == 0:
            del value[:]
        value[at:] = parts[0x381D][6:]

    # -- the reply -----------------------------------------------------------------------------------------------------

    def _build_reply(self, work: Work) -> bytes:
        request, outcome = work.request, work.outcome
        template = (
            put_long(request.bitmap & ~_NEVER)
            + bytes(4)
            + request.data[28:30]
            + put_short(request.id)
            + put_short(request.id)
            + put_short(outcome.error_class)
            + put_long(outcome.code)
        )
        parts = work.body + replies.build_messages(outcome, request.bitmap, self.job) + self._describe(work)
        return build_reply(request, 0x2800, template, parts)

    def _describe(self, work: Work) -> bytes:
        wanted, parts = work.request.bitmap, b""
        if wanted & WANTED_SQLCA:
            parts += build_part(0x3807, replies.build_sqlca(work.outcome, self.job))
        if wanted & WANTED_ATTRIBUTES:
            parts += build_part(0x3804, replies.build_attributes(self.job))
        answer = self.answers.get(work.statement)
        is_prepare = work.request.id in (0x1800, 0x1803)
        if wanted & WANTED_FORMAT and isinstance(answer, Rows) and not (isinstance(answer, Called) and is_prepare):
            parts += build_part(replies.FORMAT, replies.build_format(answer.columns, self.job))
        if wanted & WANTED_MARKERS and isinstance(answer, Rows | Count):
            markers = replies.build_format(answer.markers, self.job, markers=True) if answer.markers else b""
            parts += build_part(replies.MARKERS, markers)
        if wanted & WANTED_CURSOR and work.request.id in (0x1804, 0x180E):
            parts += build_part(0x3814, b"\1" + bytes(7))
        return parts


_HANDLERS: Mapping[int, Callable[[DatabaseServer, Work], None]] = {
    0x0000: DatabaseServer.say_alive,
    0x1800: DatabaseServer.prepare,
    0x1803: DatabaseServer.prepare,
    0x1804: DatabaseServer.open,
    0x1805: DatabaseServer.execute,
    0x1806: DatabaseServer.execute,
    0x1807: DatabaseServer.commit,
    0x1808: DatabaseServer.commit,
    0x180A: DatabaseServer.close,
    0x180B: DatabaseServer.fetch,
    0x180C: DatabaseServer.do_nothing,
    0x180D: DatabaseServer.execute,
    0x180E: DatabaseServer.open,
    0x1816: DatabaseServer.read_lob,
    0x1817: DatabaseServer.write_lob,
    0x1818: DatabaseServer.cancel,
    0x1819: DatabaseServer.do_nothing,
    0x1D00: DatabaseServer.do_nothing,
    0x1D02: DatabaseServer.do_nothing,
    0x1D03: DatabaseServer.do_nothing,
    0x1D04: DatabaseServer.do_nothing,
    0x1E00: DatabaseServer.describe_markers,
    0x1E01: DatabaseServer.do_nothing,
    0x1F00: DatabaseServer.repeat,
    0x1F01: DatabaseServer.do_nothing,
    0x1F80: DatabaseServer.set_attributes,
}


def _read_name(data: bytes) -> bytes:
    return data[4 : 4 + get_short(data, 2)]


def _read_sql(parts: Mapping[int, bytes]) -> str:
    data = parts.get(0x3831)
    if data is not None:
        return data[6 : 6 + get_long(data, 2)].decode(CODECS[get_short(data)])
    data = parts[0x3807]
    return data[4 : 4 + get_short(data, 2)].decode(CODECS[get_short(data)])


def _with_markers(answer: Rows | Count, sql: str) -> Answer:
    """A driver that is told of other markers than there are breaks; who does not say gets texts."""
    wanted = _count_markers(sql)
    if len(answer.markers) == wanted:
        return answer
    assert not answer.markers, f"{len(answer.markers)} markers for {sql}"
    return replace(answer, markers=[varchar(f"P{place}", 256, 1208) for place in range(wanted)])


def _count_markers(sql: str) -> int:
    """Question marks outside of strings and names."""
    pieces = sql.replace('"', "'").split("'")
    return sum(piece.count("?") for piece in pieces[::2])


def _count(answer: Count, rows: list[Row]) -> Outcome:
    done = answer.done(rows)
    if isinstance(done, Outcome):
        return done
    return replace(answer.warning or DONE, counts=(0, 0, done, 0, 0, 0))


def _count_wanted(parts: Mapping[int, bytes], columns: Sequence[Column]) -> int:
    """How many rows a block has: told as such, or as bytes, by the row's width and its indicators."""
    if 0x380C in parts:
        return max(1, get_long(parts[0x380C]))
    if 0x3834 in parts:
        return max(1, get_long(parts[0x3834]) // sum(column.length + 2 for column in columns))
    return 1
