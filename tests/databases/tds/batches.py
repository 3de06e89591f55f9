# What a batch does and answers: rules first, then the statements the double knows. Knows no sockets.
"""`BatchRunner`: a session's state and the tokens of its replies."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.databases.tds import statements, tokens
from tests.databases.tds.bulk import Load
from tests.databases.tds.columns import Column, parse_columns, parse_identifier, parse_name
from tests.databases.tds.packets import Gone
from tests.databases.tds.replies import Close, Count, Error, Hang, Info, MadeRows, Pause, RepeatedRows, Reply, Rows
from tests.databases.tds.store import Store, Table
from tests.databases.tds.types import COLLATION, COLLATION_UTF8, LATIN, LATIN_UTF8

_SERVER = "double"


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a statement; whether more follows is known later."""

    status: int = 0
    command: int = 0
    count: int | None = None


Tokens = Iterator[bytes | Done]


class _Failed(Exception):
    """An error has been sent: the rest of the batch is not run."""


def finish(items: Iterable[bytes | Done]) -> Iterator[bytes]:
    """The bytes of a reply, each DONE saying whether another follows."""
    waiting: Done | None = None
    for item in items:
        if waiting:
            yield tokens.build_done(waiting.status | tokens.DONE_MORE, waiting.command, waiting.count)
            waiting = None
        if isinstance(item, Done):
            waiting = item
        else:
            yield item
    last = waiting or Done()
    yield tokens.build_done(last.status, last.command, last.count)


class BatchRunner:
    """Runs the batches of one session."""

    def __init__(
        self, session: int, store: Store, wait_for_attention: Callable[[], None], check_attention: Callable[[], None]
    ) -> None:
        self._session = session
        self._store = store
        self._wait_for_attention = wait_for_attention
        self._check_attention = check_attention
        self._switches = dict.fromkeys(("nocount", "fmtonly", "implicit_transactions"), False)
        self._settings: dict[str, str] = {}
        self._bulk: tuple[str, str] = ("", "")
        self._depth = 0
        self._descriptor = session << 32
        # Tables as they were when the transaction first changed them; None for one that was not there.
        self._before: dict[str, Table | None] = {}

    def reset(self) -> Tokens:
        """Makes the session new, for the client's pool of connections."""
        self._switches = dict.fromkeys(self._switches, False)
        self._settings.clear()
        yield from self.roll_back()
        yield tokens.build_reset()

    def run(self, text: str) -> Tokens:
        """All replies to a batch."""
        try:
            replies = self._store.find_replies(text, whole=True)
            if replies is not None:
                yield from self._play(replies, statements.find_command(text))
                return
            if match := statements.LOOK_AT_TABLE.fullmatch(text):
                yield from self._look_at_table(match)
                return
            for statement in statements.split_batch(text):
                yield from self._run_statement(statement)
        except _Failed:
            return

    def _run_statement(self, statement: str) -> Tokens:
        implicit = self._switches["implicit_transactions"] and not self._depth
        if implicit and statements.BEGINS_TRANSACTION.fullmatch(statement):
            yield from self.begin()
        replies = self._store.find_replies(statement, whole=False)
        if replies is not None:
            yield from self._play(replies, statements.find_command(statement))
            return
        for pattern, answer in self._known():
            if match := pattern.fullmatch(statement):
                yield from answer(match)
                return
        if self._store.evaluates and statements.EVALUATED.match(statement):
            yield from self._evaluate(statement)
            return
        yield from self._fail(Error(50000, f"The double has no answer to: {statement[:1000]}"))

    def _known(self) -> tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Tokens]], ...]:
        return (
            (statements.SWITCH, self._switch),
            (statements.SET_VALUE, self._set),
            (statements.SET_OPTION, self._set),
            (statements.SET, lambda match: iter([Done()])),
            (statements.SETTINGS, lambda match: self._send_settings()),
            (
                statements.SESSION_SCHEMA,
                lambda match: self._send_rows(parse_columns([("", "nvarchar(128)")]), [("dbo",)]),
            ),
            (statements.NAMED, self._send_named),
            (statements.TRANCOUNT, lambda match: self._send_depth()),
            (statements.BEGIN, lambda match: self._ended(self.begin())),
            (statements.COMMIT, lambda match: self._ended(self.commit())),
            (statements.ROLLBACK, lambda match: self._ended(self.roll_back())),
            (statements.COUNT_ROWS, self._count_rows),
            (statements.SELECT, self._select),
            (statements.INSERT_BULK, self._insert_bulk),
            (statements.CREATE_TABLE, self._create_table),
            (statements.DROP_TABLE, self._drop_table),
            (statements.EMPTY_TABLE, self._empty_table),
        )

    # -- replies -------------------------------------------------------------------------------------------------------

    def _play(self, replies: Iterable[Reply], command: int) -> Tokens:
        empty = True
        for reply in replies:
            empty = False
            yield from self._play_one(reply, command)
        if empty:
            yield Done(self._status, command)

    def _play_one(self, reply: Reply, command: int) -> Tokens:
        match reply:
            case Rows():
                yield from self._send_rows(parse_columns(reply.columns), reply.rows)
            case MadeRows():
                yield from self._send_rows(parse_columns(reply.columns), reply.make())
            case RepeatedRows():
                yield from self._repeat_rows(reply)
            case Count():
                yield self._count(command, reply.rows)
            case Info():
                yield tokens.build_info(reply.number, reply.message, _SERVER)
            case Error():
                yield from self._fail(reply)
            case Pause():
                yield b""
                time.sleep(reply.seconds)
            case Hang():
                yield b""
                self._wait_for_attention()
            case Close():
                yield b""
                raise Gone

    def _send_rows(self, columns: tuple[Column, ...], rows: Iterable[Any]) -> Tokens:
        yield tokens.build_columns(columns)
        count = 0
        for row in () if self._switches["fmtonly"] else tokens.build_rows(columns, rows):
            yield row
            count += 1
        yield self._count(tokens.SELECT, count)

    def _repeat_rows(self, reply: RepeatedRows) -> Tokens:
        columns = parse_columns(reply.columns)
        yield tokens.build_columns(columns)
        block = b"".join(tokens.build_rows(columns, reply.rows))
        for _ in range(reply.times):
            yield block
        yield self._count(tokens.SELECT, len(reply.rows) * reply.times)

    def _count(self, command: int, rows: int) -> Done:
        return Done(self._status, command, None if self._switches["nocount"] else rows)

    def build_error(self, *errors: Error) -> Tokens:
        """Errors of one statement, and their DONE."""
        for error in errors:
            yield tokens.build_error(
                error.number, error.message, _SERVER, error.severity, error.state, error.line, error.procedure
            )
            if error.ends_transaction:
                yield from self.roll_back()
        yield Done(self._status | tokens.DONE_ERROR)

    def _fail(self, error: Error) -> Tokens:
        yield from self.build_error(error)
        raise _Failed

    @property
    def _status(self) -> int:
        return tokens.DONE_IN_TRANSACTION if self._depth else 0

    # -- transactions --------------------------------------------------------------------------------------------------

    def begin(self) -> Tokens:
        """Begins a transaction, or one more level of it."""
        self._depth += 1
        if self._depth == 1:
            self._descriptor += 1
            yield tokens.build_transaction(tokens.BEGUN, self._descriptor)

    def commit(self) -> Tokens:
        """Ends a level of the transaction."""
        if self._depth == 1:
            self._before.clear()
            yield tokens.build_transaction(tokens.COMMITTED, self._descriptor)
        self._depth = max(self._depth - 1, 0)

    def roll_back(self) -> Tokens:
        """Ends the transaction and puts back the tables it has changed."""
        depth, self._depth = self._depth, 0
        for name, table in self._before.items():
            self._store.put_table(name, table)
        self._before.clear()
        return iter([tokens.build_transaction(tokens.ROLLED_BACK, self._descriptor)] if depth else [])

    def _ended(self, items: Tokens) -> Tokens:
        yield from items
        yield Done(self._status)

    def _put(self, name: str, table: Table | None) -> None:
        """Changes a table so that a rollback can undo it."""
        if self._depth:
            self._before.setdefault(name, self._store.tables.get(name))
        self._store.put_table(name, table)

    # -- statements ----------------------------------------------------------------------------------------------------

    def _set(self, match: re.Match[str]) -> Tokens:
        self._settings[match[1].lower()] = match[2].lower()
        yield Done()

    def _send_settings(self) -> Tokens:
        """What has been set in this session, and of the rest what a server has by itself."""
        switched = self._settings | {name: "on" if on else "off" for name, on in self._switches.items()}
        bits = sum(bit for name, bit in statements.OPTIONS.items() if switched.get(name) == "on")
        values = {"textsize": "4096", "lock_timeout": "-1", "datefirst": "7", "dateformat": "mdy", "language": "none"}
        values |= self._settings
        month = {"ymd": "2", "mdy": "2"}.get(values["dateformat"], "3")
        names = ("textsize", "lock_timeout", "datefirst")
        said = "|".join([str(bits), *(values[name] for name in names), month, values["language"]])
        return self._send_rows(parse_columns([("", "nvarchar(400)")]), [(said,)])

    def _switch(self, match: re.Match[str]) -> Tokens:
        self._switches[match.group(1).lower()] = match.group(2).lower() == "on"
        yield Done(self._status)

    def _send_named(self, match: re.Match[str]) -> Tokens:
        name = match[1].replace("''", "'")
        rows = [tuple(parse_name(name).split(".", 1))] if self._store.find_table(name) else []
        yield from self._send_rows(parse_columns([("s", "nvarchar(128)"), ("o", "nvarchar(128)")]), rows)

    def _find_table(self, name: str) -> Tokens | Table:
        table = self._store.find_table(name)
        return table or self._fail(Error(208, f"Invalid object name '{parse_name(name)}'."))

    def _count_rows(self, match: re.Match[str]) -> Tokens:
        found = self._find_table(match.group(2))
        if not isinstance(found, Table):
            yield from found
            return
        column = ("", "bigint" if match.group(1) else "int")
        yield from self._send_rows(parse_columns([column]), [(found.count_rows(),)])

    def _select(self, match: re.Match[str]) -> Tokens:
        top, names, name, nothing = match.groups()
        found = self._find_table(name)
        if not isinstance(found, Table):
            yield from found
            return
        most = 0 if nothing else int(top) if top is not None else None
        places, columns = [], []
        for item in [column.name for column in found.columns] if names == "*" else statements.split_list(names):
            place, column = self._find_column(found, item, quoted=names != "*")
            if column is None:
                yield from self._fail(Error(207, f"Invalid column name '{item}'."))
                return
            places.append(place)
            columns.append(column)
        rows = (tuple(row[place] for place in places) for row in found.read_rows())
        yield from self._send_rows(tuple(columns), (row for row, _ in zip(rows, _numbers(most), strict=False)))

    def _find_column(self, table: Table, item: str, quoted: bool) -> tuple[int, Column | None]:
        words = statements.split_column(item) if quoted else (item, item)
        for place, column in enumerate(table.columns):
            if column.name.lower() == words[0].lower():
                return place, replace(column, name=words[1])
        return 0, None

    def _evaluate(self, statement: str) -> Tokens:
        """What SQLite makes of a statement; the library that reads T-SQL is only loaded where it is wanted."""
        from tests.databases.tds.evaluation import Selected, evaluate
        from tests.databases.tds.inference import Refused

        try:
            answer = evaluate(statement, self._store, self._check_attention)
            if isinstance(answer, Selected):
                yield from self._send_rows(parse_columns(answer.columns), answer.rows)
                return
        except Refused as refused:
            yield from self._fail(refused.error)
            return
        self._put(answer.name, answer.table)
        yield self._count(tokens.INSERT, answer.count)

    def _send_depth(self) -> Tokens:
        yield from self._send_rows(parse_columns([("", "int")]), [(self._depth,)])

    def _look_at_table(self, match: re.Match[str]) -> Tokens:
        """The results that a bulk copy wants before it begins: depth, columns, collations."""
        found = self._find_table(match.group(1).replace("''", "'"))
        if not isinstance(found, Table):
            yield from found
            return
        yield from self._send_depth()
        yield from self._send_rows(found.columns, ())
        columns = parse_columns(
            [("colid", "int"), ("name", "nvarchar(128)"), ("tds_collation_100", "binary(5)"),
             ("collation_100", "nvarchar(128)")]
        )  # fmt: skip
        rows = [(number, column.name, *_find_collation(column)) for number, column in enumerate(found.columns, 1)]
        yield from self._send_rows(columns, rows)

    def _create_table(self, match: re.Match[str]) -> Tokens:
        name = parse_name(match.group(1))
        if name in self._store.tables:
            yield from self._fail(Error(2714, f"There is already an object named '{name}' in the database.", state=6))
        definitions = statements.list_definitions(match.group(2))
        columns = parse_columns([(parse_identifier(column), definition) for column, definition in definitions])
        self._put(name, Table(columns))
        yield Done(self._status)

    def _drop_table(self, match: re.Match[str]) -> Tokens:
        name = parse_name(match.group(2))
        if name not in self._store.tables and not match.group(1):
            yield from self._fail(Error(3701, f"Cannot drop the table '{name}', because it does not exist.", state=5))
        self._put(name, None)
        yield Done(self._status)

    def _empty_table(self, match: re.Match[str]) -> Tokens:
        found = self._find_table(match.group(2))
        if not isinstance(found, Table):
            yield from found
            return
        self._put(parse_name(match.group(2)), Table(found.columns))
        deletes = match.group(1).lower().startswith("delete")
        yield self._count(tokens.DELETE, found.count_rows()) if deletes else Done(self._status)

    # -- bulk loads ----------------------------------------------------------------------------------------------------

    def _insert_bulk(self, match: re.Match[str]) -> Tokens:
        found = self._find_table(match.group(1))
        if not isinstance(found, Table):
            yield from found
            return
        for name, _ in statements.list_definitions(match.group(2)):
            _, column = self._find_column(found, name, quoted=True)
            if column is None:
                yield from self._fail(Error(207, f"Invalid column name '{name}'."))
            elif column.type.text == "timestamp":
                yield from self._fail(Error(273, "Cannot insert an explicit value into a timestamp column."))
            elif column.computed:
                yield from self._fail(Error(271, f"The column '{name}' cannot be modified: it is a computed column."))
        self._bulk = (match.group(0), parse_name(match.group(1)))
        yield Done(self._status)

    def take_bulk(self) -> tuple[str, str]:
        """The statement of the load whose payload comes now, and its table."""
        bulk, self._bulk = self._bulk, ("", "")
        if not bulk[0]:
            raise Gone
        return bulk

    def add_load(self, load: Load) -> None:
        """Keeps a load that came through."""
        self._store.loads.append(load)
        if table := self._store.tables.get(load.table):
            self._put(load.table, Table(table.columns, (*table.parts, load)))


def _find_collation(column: Column) -> tuple[bytes | None, str | None]:
    text = column.type.text
    if "char" not in text and text not in ("text", "ntext"):
        return None, None
    return (LATIN_UTF8, COLLATION_UTF8) if text.endswith(COLLATION_UTF8) else (LATIN, COLLATION)


def _numbers(most: int | None) -> Iterable[int]:
    return iter(int, 1) if most is None else range(most)
