# The live log of a run, in chunk rows. Knows nothing of who writes it or shows it.
"""Append to and read a run's live log.

Places in the log are counted in characters and only ever grow. A progress tick (a line that is a bare number) replaces
a trailing tick; the new one stands *behind* the place of the old one, which becomes a gap that reading skips. Whoever
polls by offset gets every real line once, in order, and each tick whole or not at all, whatever their lengths.
Appending looks at the last chunk alone and reading at the chunks it returns, however long the log is.
When lines came is kept beside the text, to the second: places and lengths are those of the text alone.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipekit.cutting import cut_lines
from pipekit.errors import NotFound
from pipekit.models import Row
from pipekit.repo.runs import storable
from pipekit.repo.state import State, transaction

CHUNK_CHARS = 16_384

_LINE_END = re.compile(r"\r\n|\n|\r")
# A number, its thousands perhaps set apart. Short, so that a tick may always be handed out whole.
_TICK = re.compile(r"[ \t]*(?:[0-9]{1,20}|[0-9]{1,3}(?:[ ,._'\u2019\u00a0\u2009\u202f][0-9]{3}){1,6})[ \t]*\Z")
_UNCLEAN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Only what begins with ESC: the one-character forms (0x80 to 0x9f) also occur in wrongly decoded text, where taking
# them for the start of a sequence would swallow what follows. They are removed alone.
_ESCAPES = re.compile(
    r"""
    \x1b\[[0-?]*[ -/]*[@-~]?                          # CSI: colours, cursor movements
  | \x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)         # OSC, DCS and others: titles, links
  | \x1b[ -/]*[0-~]?                                 # the short ones
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class TimedText:
    """Text of a log and when it came, in UTC by the second; None where that was not kept."""

    at: str | None
    text: str


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    is_tick: bool = False
    at: str | None = None


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Pieces that lie in one row."""

    pieces: Sequence[_Piece]

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def times(self) -> str | None:
        """`[[where in the text, moment], ...]`, one for each moment; None where none is known."""
        marks: list[tuple[int, str]] = []
        place = 0
        for piece in self.pieces:
            if piece.at and (not marks or marks[-1][1] != piece.at):
                marks.append((place, piece.at))
            place += len(piece.text)
        return json.dumps(marks, separators=(",", ":")) if marks else None


def clean_text(text: str) -> str:
    """Text without escape codes and control characters; newlines and tabs stay, a lone CR or CRLF becomes a newline."""
    if _UNCLEAN.search(text):
        text = _ESCAPES.sub("", _LINE_END.sub("\n", text))
        text = _UNCLEAN.sub("", text)
    return storable(text)


def append_live_log(db: State, run_id: int, text: str | Sequence[TimedText]) -> bool:
    """Appends whole lines (a missing newline at the end is added) and returns whether the run took them.

    A run that has ended takes no more. Raises NotFound. One transaction: call it with many lines rather than for each.
    """
    parts = [TimedText(None, text)] if isinstance(text, str) else text
    pieces = _pieces([replace(part, text=cut_lines(clean_text(part.text))) for part in parts])
    if not pieces:
        return True
    with transaction(db):
        run = db.row("SELECT finished_at FROM run_log WHERE id = ?", (run_id,))
        if run is None:
            raise NotFound(f"There is no run {run_id}.")
        if run["finished_at"] is not None:
            return False
        start, tick = _end(db, run_id)
        if tick is not None and pieces[0].is_tick:
            db.change("DELETE FROM run_log_chunk WHERE run_id = ? AND start = ?", (run_id, tick))
        for chunk in _joined(pieces):
            values = {"run_id": run_id, "start": start, "text": chunk.text, "is_tick": chunk.pieces[0].is_tick}
            db.insert("run_log_chunk", {**values, "times": chunk.times})
            start += len(chunk.text)
        return True


def read_timed_log(db: State, run_id: int, offset: int = 0, limit: int = 65_536) -> tuple[list[TimedText], int]:
    """Text from `offset` on, about `limit` characters at most, and the offset to go on from.

    There is none, and the offset is the same, when there is nothing new.
    """
    found: list[TimedText] = []
    taken = 0
    for chunk in _chunks_from(db, run_id, offset):
        skip = max(offset - chunk["start"], 0)
        size = len(chunk["text"]) - skip
        if chunk["is_tick"] and found and taken + size > limit:
            break
        size = max(size if chunk["is_tick"] else min(size, limit - taken), 0)
        for part in _split(chunk["text"], chunk["times"]):
            text = part.text[skip:][:size]
            skip, size = max(skip - len(part.text), 0), size - len(text)
            if text:
                found.append(replace(part, text=text))
                taken += len(text)
                offset = max(offset, chunk["start"]) + len(text)
        if taken >= limit:
            break
    return found, offset


def read_live_log(db: State, run_id: int, offset: int = 0, limit: int = 65_536) -> tuple[str, int]:
    """The same without times."""
    found, place = read_timed_log(db, run_id, offset, limit)
    return "".join(part.text for part in found), place


def read_timed_tail(db: State, run_id: int, limit: int) -> list[TimedText]:
    """The log's last lines, `limit` characters at most. A line is cut only when it alone is longer."""
    found: list[TimedText] = []
    taken = 0
    for chunk in db.each("SELECT text, times FROM run_log_chunk WHERE run_id = ? ORDER BY start DESC", (run_id,)):
        found[:0] = _split(chunk["text"], chunk["times"])
        taken += len(chunk["text"])
        if taken > limit:
            break
    return found if taken <= limit else _cut_front(found, taken - limit)


def read_live_log_tail(db: State, run_id: int, limit: int) -> str:
    """The same without times."""
    return "".join(part.text for part in read_timed_tail(db, run_id, limit))


def _cut_front(parts: Sequence[TimedText], more: int) -> list[TimedText]:
    """Without `more` characters and the rest of the line in which that ends, unless nothing were left."""
    text = "".join(part.text for part in parts)
    line = more if more == 0 or text[more - 1] == "\n" else text.find("\n", more) + 1
    skip = line if 0 < line < len(text) else more
    kept = []
    for part in parts:
        if skip < len(part.text):
            kept.append(replace(part, text=part.text[skip:]))
        skip = max(skip - len(part.text), 0)
    return kept


def _split(text: str, times: str | None) -> list[TimedText]:
    """A chunk's text by when it came."""
    marks = json.loads(times) if times else []
    if not marks or marks[0][0] > 0:
        marks.insert(0, (0, None))
    ends = [place for place, _ in marks[1:]] + [len(text)]
    return [TimedText(at, text[place:end]) for (place, at), end in zip(marks, ends, strict=True)]


def get_live_log_end(db: State, run_id: int) -> int:
    """The offset behind everything that is in the log now: where to go on after showing a tail."""
    return _end(db, run_id)[0]


def _end(db: State, run_id: int) -> tuple[int, int | None]:
    """Where the log ends, and where its trailing tick begins if it ends with one."""
    last = db.row(
        """
        SELECT start, start + length(text) AS stop, is_tick
        FROM run_log_chunk WHERE run_id = ? ORDER BY start DESC LIMIT 1
        """,
        (run_id,),
    )
    if last is None:
        return 0, None
    return last["stop"], last["start"] if last["is_tick"] else None


def _chunks_from(db: State, run_id: int, offset: int) -> Iterator[Row]:
    """Chunks in order, from the one that holds `offset` or begins before it."""
    return db.each(
        """
        SELECT start, text, is_tick, times FROM run_log_chunk
        WHERE run_id = :run_id AND start >= coalesce(
            (SELECT max(start) FROM run_log_chunk WHERE run_id = :run_id AND start <= :offset), 0)
        ORDER BY start
        """,
        {"run_id": run_id, "offset": offset},
    )


def _pieces(parts: Sequence[TimedText]) -> list[_Piece]:
    """Lines, of which a tick that follows a tick has replaced it."""
    pieces: list[_Piece] = []
    for part in parts:
        for line in part.text.removesuffix("\n").split("\n") if part.text else ():
            piece = _Piece(line + "\n", _TICK.match(line) is not None, part.at)
            if piece.is_tick and pieces and pieces[-1].is_tick:
                pieces[-1] = piece
            else:
                pieces.append(piece)
    return pieces


def _joined(pieces: Sequence[_Piece]) -> Iterator[_Chunk]:
    """Chunks: a tick at the end alone, because it may be replaced; everything before it as plain text."""
    trailing = pieces[-1:] if pieces[-1].is_tick else []
    gathered: list[_Piece] = []
    room = CHUNK_CHARS
    for piece in pieces[: len(pieces) - len(trailing)]:
        text = piece.text
        while text:
            gathered.append(replace(piece, text=text[:room], is_tick=False))
            text, room = text[room:], room - len(text[:room])
            if room == 0:
                yield _Chunk(gathered)
                gathered, room = [], CHUNK_CHARS
    if gathered:
        yield _Chunk(gathered)
    if trailing:
        yield _Chunk(trailing)
