# Lists that loops go over: words, lines of a file. Knows a script's state; runs nothing.
"""`list_items`, `list_lines`, `read_words`."""

import re
from dataclasses import replace

from pipekit.scripts.expansion import expand_fields
from pipekit.scripts.filters import expand_glob
from pipekit.scripts.found import MARKER, Unknown
from pipekit.scripts.lexer import split_words
from pipekit.scripts.shell import Shell, is_position


def list_items(shell: Shell, text: str, line: int) -> list[str]:
    """The items of `NAME=(...)`; one with keys (`[a]=b`) has the values only."""
    fields = expand_fields(shell, split_words(text, line))
    words = [re.sub(r"^\[[^\]]*\]=", "", item.text) for item in fields]
    items = [one for word in words for one in expand_glob(shell, word)]
    if items != words:
        shell.listed.add("\n".join(items))
    return items


def list_lines(shell: Shell, text: str, splits: bool) -> list[str]:
    """The lines (with `splits` the words) of a text as the folder stands; what a file says is told with each load.

    A number or a date, and anything in a file that a script writes, stays a value that is not known.
    """
    unknown = shell.notes.only_unknown(text)
    if unknown is None or unknown.assumed is None:
        pieces = [text] if MARKER.search(text) or splits else text.splitlines()
        return [one for piece in pieces for one in (expand_glob(shell, piece) if splits else [piece])]
    pieces = unknown.assumed.split() if splits else unknown.assumed.splitlines()
    pieces = [piece for piece in pieces if piece.strip() and not piece.startswith("#")]
    made = [_mark_item(shell, unknown, piece) for piece in pieces]
    if made != pieces and not any(re.search(r"\w", MARKER.sub("", one)) for one in made):
        return made
    told = f"The list that `{unknown.command}` gives is taken as it stands: {', '.join(pieces)}."
    shell.notes.take(unknown.place, told)
    return made


def _mark_item(shell: Shell, unknown: Unknown, text: str) -> str:
    """An item of a file's list: its numbers and dates may be others tomorrow."""
    is_state = unknown.path in shell.world.state or unknown.origin == "command"
    made = []
    for word in re.split(r"([\s|,;]+)", text):
        pieces = [word] if is_position(word) else re.split(r"([=:]+)", word)
        for piece in pieces:
            may_change = re.search(r"\w", piece) and (is_state or is_position(piece))
            made.append(shell.notes.mark(replace(unknown, assumed=piece)) if may_change else piece)
    return "".join(made)


def read_words(shell: Shell, text: str, names: list[str], line: int, separators: str | None) -> None:
    """`read A B`: the words of a line, the rest to the last name."""
    text = text.rstrip("\n")
    unknown = shell.notes.only_unknown(text)
    if unknown is not None and len(names) > 1:
        for at, name in enumerate(names, 1):
            shell.assign(name, shell.notes.change(text, f"word {at} of the line", shell.place(line)), line)
        return
    pattern = rf"[{re.escape(separators)}]" if separators else r"\s+"
    words = re.split(pattern, text if separators else text.strip(), maxsplit=len(names) - 1) if text else []
    for at, name in enumerate(names):
        shell.assign(name, words[at] if at < len(words) else "", line)
