# The live log of a run, in chunk rows. Knows nothing of who writes it or shows it.
"""Append to and read a run's live log.

Places in the log are counted in characters and only ever grow. A progress tick (a line that is a bare number) replaces
a trailing tick; the new one stands *behind* the place of the old one, which becomes a gap that reading skips. Whoever
polls by offset gets every real line once, in order, and each tick whole or not at all, whatever their lengths.
Appending looks at the last chunk alone and reading at the chunks it returns, however long the log is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

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
class _Piece:
    text: str
    is_tick: bool = False


def clean_text(text: str) -> str:
    """Text without escape codes and control characters; newlines and tabs stay, a lone CR or CRLF becomes a newline."""
    if _UNCLEAN.search(text):
        text = _ESCAPES.sub("", _LINE_END.sub("\n", text))
        text = _UNCLEAN.sub("", text)
    return storable(text)


def append_live_log(db: State, run_id: int, text: str) -> bool:
    """Appends whole lines (a missing newline at the end is added) and returns whether the run took them.

    A run that has ended takes no more. Raises NotFound. One transaction: call it with many lines rather than for each.
    """
    pieces = _pieces(cut_lines(clean_text(text)))
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
        for piece in _joined(pieces):
            values = {"run_id": run_id, "start": start, "text": piece.text, "is_tick": piece.is_tick}
            db.insert("run_log_chunk", values)
            start += len(piece.text)
        return True


def read_live_log(db: State, run_id: int, offset: int = 0, limit: int = 65_536) -> tuple[str, int]:
    """Text from `offset` on, about `limit` characters at most, and the offset to go on from.

    The text is empty, and the offset the same, when there is nothing new.
    """
    parts: list[str] = []
    taken = 0
    for chunk in _chunks_from(db, run_id, offset):
        text = chunk["text"][max(offset - chunk["start"], 0) :]
        if chunk["is_tick"] and parts and taken + len(text) > limit:
            break
        if not chunk["is_tick"]:
            text = text[: limit - taken]
        if text:
            parts.append(text)
            taken += len(text)
            offset = max(offset, chunk["start"]) + len(text)
        if taken >= limit:
            break
    return "".join(parts), offset


def read_live_log_tail(db: State, run_id: int, limit: int) -> str:
    """The log's last lines, `limit` characters at most. A line is cut only when it alone is longer."""
    parts: list[str] = []
    taken = 0
    for chunk in db.each("SELECT text FROM run_log_chunk WHERE run_id = ? ORDER BY start DESC", (run_id,)):
        parts.append(chunk["text"])
        taken += len(chunk["text"])
        if taken > limit:
            break
    text = "".join(reversed(parts))
    if len(text) <= limit:
        return text
    cut = text[len(text) - limit :] if limit > 0 else ""
    line_start = 0 if text[len(text) - limit - 1] == "\n" else cut.find("\n") + 1
    return cut[line_start:] or cut


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
        SELECT start, text, is_tick FROM run_log_chunk
        WHERE run_id = :run_id AND start >= coalesce(
            (SELECT max(start) FROM run_log_chunk WHERE run_id = :run_id AND start <= :offset), 0)
        ORDER BY start
        """,
        {"run_id": run_id, "offset": offset},
    )


def _pieces(text: str) -> list[_Piece]:
    """Lines, of which a tick that follows a tick has replaced it."""
    pieces: list[_Piece] = []
    for line in text.removesuffix("\n").split("\n") if text else ():
        piece = _Piece(line + "\n", _TICK.match(line) is not None)
        if piece.is_tick and pieces and pieces[-1].is_tick:
            pieces[-1] = piece
        else:
            pieces.append(piece)
    return pieces


def _joined(pieces: list[_Piece]) -> Iterator[_Piece]:
    """Chunks: a tick at the end alone, because it may be replaced; everything before it as plain text."""
    trailing = pieces[-1:] if pieces[-1].is_tick else []
    text = "".join(piece.text for piece in pieces[: len(pieces) - len(trailing)])
    for start in range(0, len(text), CHUNK_CHARS):
        yield _Piece(text[start : start + CHUNK_CHARS])
    yield from trailing
