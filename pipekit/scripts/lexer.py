# Shell text -> words and operators. Knows how a POSIX shell quotes; expands and runs nothing.
"""`split_commands`: the simple commands of a script, each word in parts that still have to be expanded."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

PartKind = Literal["text", "variable", "command", "opaque"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_OPERATOR = re.compile(r"\d*(?:<<<|<<-?|>>|<&|>&|<|>)|&&|\|\||;;|[;&|()\n]")
_BLANKS = " \t"
_ENDS_WORD = " \t\n;&|()<>"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word: literal text, the inside of `${...}`, or the script of `$(...)`; `opaque` is arithmetic."""

    kind: PartKind
    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A word, perhaps empty (`""`)."""

    parts: tuple[Part, ...]

    @property
    def literal(self) -> str | None:
        """The word where it needs no expansion."""
        if any(part.kind != "text" for part in self.parts):
            return None
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class Redirect:
    """`< file`, `> file`, `>> file`, or `<<` with a here-document's text as the word."""

    operator: str
    word: Word


@dataclass(slots=True)
class Command:
    """A simple command; `ends` is the operator behind it, `|` for all but the last of a pipeline."""

    line: int
    words: list[Word] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)
    ends: str = "\n"


class Lexer:
    """Reads one script."""

    def __init__(self, text: str, first_line: int = 1) -> None:
        self._text = text.replace("\r\n", "\n").replace("\\\n", "\ue010")
        self._at = 0
        self._line = first_line
        self._documents: list[tuple[Command, int, str, bool, str]] = []

    def commands(self) -> Iterator[Command]:
        """Each simple command, here-documents included. Stops without complaint at a quote that does not end."""
        waiting: list[Command] = []
        command = Command(line=self._line)
        while self._at < len(self._text):
            char = self._text[self._at]
            operator = _OPERATOR.match(self._text, self._at)
            if char in _BLANKS or char == "\ue010":
                self._skip(1)
            elif char == "#":
                self._skip(len(self._rest_of_line()))
            elif operator and any(mark in operator[0] for mark in "<>"):
                self._read_redirect(command, operator[0])
            elif operator:
                command.ends = operator[0]
                waiting.append(command)
                command = self._end_command(operator[0])
                if not self._documents:
                    yield from (item for item in waiting if item.words or item.redirects)
                    waiting = []
            else:
                if not command.words and not command.redirects:
                    command.line = self._line
                command.words.append(self._read_word())
        yield from (item for item in [*waiting, command] if item.words or item.redirects)

    def _end_command(self, operator: str) -> Command:
        self._skip(len(operator))
        if operator == "\n":
            self._read_documents()
        return Command(line=self._line)

    def _skip(self, count: int) -> None:
        passed = self._text[self._at : self._at + count]
        self._line += passed.count("\n") + passed.count("\ue010")
        self._at += count

    def _rest_of_line(self) -> str:
        end = self._text.find("\n", self._at)
        return self._text[self._at : end if end >= 0 else len(self._text)]

    # -- words ---------------------------------------------------------------------------------------------------------

    def _read_word(self) -> Word:
        parts: list[Part] = []
        while self._at < len(self._text) and self._text[self._at] not in _ENDS_WORD:
            char = self._text[self._at]
            if char == "'":
                parts.append(Part("text", self._take_until("'"), quoted=True))
            elif char == '"':
                self._skip(1)
                parts += self._read_quoted('"')
            elif char == "\\":
                parts.append(Part("text", self._text[self._at + 1 : self._at + 2], quoted=True))
                self._skip(2)
            elif char in "$`":
                parts.append(self._read_expansion(quoted=False))
            elif char == "\ue010":
                self._skip(1)
            else:
                parts.append(Part("text", char))
                self._skip(1)
        return Word(tuple(_join(parts)))

    def _take_until(self, quote: str) -> str:
        """What stands between two quotes; the rest of the text where the second is missing."""
        end = self._text.find(quote, self._at + 1)
        text = self._text[self._at + 1 : end if end >= 0 else len(self._text)]
        self._skip(len(text) + 2)
        return text.replace("\ue010", "\\\n")

    def _read_quoted(self, end: str) -> list[Part]:
        """Parts up to a closing quote, or with `end` empty to the end of the text (a here-document)."""
        parts: list[Part] = [Part("text", "", quoted=True)]
        while self._at < len(self._text) and not (end and self._text[self._at] == end):
            char = self._text[self._at]
            following = self._text[self._at + 1 : self._at + 2]
            if char == "\\" and following in ('$`"\\' if end else "$`\\"):
                parts.append(Part("text", following, quoted=True))
                self._skip(2)
            elif char == "`" or (char == "$" and (_NAME.match(following) or following in ("{", "("))):
                parts.append(self._read_expansion(quoted=True))
            else:
                if char != "\ue010":
                    parts.append(Part("text", char, quoted=True))
                self._skip(1)
        self._skip(len(end))
        return list(_join(parts))

    def _read_expansion(self, *, quoted: bool) -> Part:
        """What stands at a `$` or a backquote."""
        text, at = self._text, self._at
        if text[at] == "`":
            return Part("command", self._take_until("`"), quoted)
        if text.startswith("$((", at):
            return Part("opaque", self._take_nested("(", ")"), quoted)
        if text.startswith("$(", at):
            return Part("command", self._take_nested("(", ")"), quoted)
        if text.startswith("${", at):
            return Part("variable", self._take_nested("{", "}"), quoted)
        name = _NAME.match(text, at + 1)
        if name is None:
            self._skip(1)
            return Part("text", "$", quoted)
        self._skip(1 + len(name[0]))
        return Part("variable", name[0], quoted)

    def _take_nested(self, opening: str, closing: str) -> str:
        """The inside of `$(...)` or `${...}`; quotes and nested pairs do not end it."""
        start = at = self._at + 2
        depth = 1
        while at < len(self._text) and depth:
            char = self._text[at]
            if char == "\\":
                at += 1
            elif char == "'" and closing == ")":
                found = self._text.find("'", at + 1)
                at = found if found >= 0 else len(self._text)
            elif char == '"':
                at = _end_of_double_quotes(self._text, at)
            depth += (char == opening) - (char == closing)
            at += 1
        inner = self._text[start : at - 1] if not depth else self._text[start:]
        self._skip(at - self._at)
        return inner.replace("\ue010", "\\\n")

    # -- redirections --------------------------------------------------------------------------------------------------

    def _read_redirect(self, command: Command, operator: str) -> None:
        self._skip(len(operator))
        while self._text[self._at : self._at + 1] in (*_BLANKS, "\ue010"):
            self._skip(1)
        word = self._read_word()
        kind = operator.lstrip("0123456789")
        if kind in ("<<", "<<-"):
            quoted = any(part.quoted for part in word.parts)
            self._documents.append((command, len(command.redirects), word.literal or "", quoted, kind))
            command.redirects.append(Redirect("<<", Word(())))
        elif kind not in ("<&", ">&") and operator[:1] not in ("2",):
            command.redirects.append(Redirect(kind, word))

    def _read_documents(self) -> None:
        """The here-documents that begin after this line."""
        for command, place, mark, quoted, kind in self._documents:
            lines: list[str] = []
            while self._at < len(self._text):
                line = self._rest_of_line()
                self._skip(len(line) + 1)
                stripped = line.lstrip("\t") if kind == "<<-" else line
                if stripped == mark:
                    break
                lines.append(stripped)
            text = "".join(f"{line}\n" for line in lines).replace("\ue010", "\\\n")
            parts = [Part("text", text, quoted=True)] if quoted else Lexer(text)._read_quoted("")
            command.redirects[place] = Redirect("<<", Word(tuple(parts)))
        self._documents = []


def _end_of_double_quotes(text: str, at: int) -> int:
    """Where a double quote ends that begins at a place."""
    at += 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at


def _join(parts: list[Part]) -> Iterator[Part]:
    """Neighbouring texts of the same kind as one."""
    text: Part | None = None
    for part in parts:
        if text and part.kind == "text" and part.quoted == text.quoted:
            text = Part("text", text.text + part.text, text.quoted)
            continue
        if text:
            yield text
        text = part if part.kind == "text" else None
        if part.kind != "text":
            yield part
    if text:
        yield text


def split_commands(text: str, first_line: int = 1) -> list[Command]:
    """The simple commands of a script, in order."""
    return list(Lexer(text, first_line).commands())
