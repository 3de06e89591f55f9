# Shell text -> words, operators and redirections. Knows how a POSIX shell and bash quote; expands and runs nothing.
"""`Lexer`: the tokens of a script, each word in parts that still have to be expanded."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

PartKind = Literal["text", "variable", "command", "number", "array", "process"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_OPERATOR = re.compile(r"\d*(?:<<<|<<-?|>>|<&|>&|>\||<>|<|>)|&>>?|&&|\|\||\|&|;;&|;;|;&|[;&|()\n]")
_ARRAY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=\Z")
_BLANKS = " \t"
_ENDS_WORD = " \t\n;&|()<>"
# What stands for a line that goes on: no word, but it counts.
_CONTINUED = "\ue010"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a word: literal text, or the inside of `${...}`, `$(...)`, `$((...))`, `NAME=(...)`, `<(...)`."""

    kind: PartKind
    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Word:
    """A word, perhaps empty (`""`), and its line."""

    parts: tuple[Part, ...]
    line: int = 0

    @property
    def literal(self) -> str | None:
        """The word where it needs no expansion."""
        if any(part.kind != "text" for part in self.parts):
            return None
        return "".join(part.text for part in self.parts)

    @property
    def plain(self) -> str:
        """The word where no part of it is quoted or expanded, as keywords are; else `""`."""
        return "".join(part.text for part in self.parts) if all(_is_plain(part) for part in self.parts) else ""


def _is_plain(part: Part) -> bool:
    return part.kind == "text" and not part.quoted


@dataclass(slots=True)
class Redirect:
    """`< file`, `> file`, `>> file`, or `<<` with a here-document's text as the word."""

    operator: str
    word: Word


@dataclass(frozen=True, slots=True)
class Operator:
    """`;`, `|`, `&&`, a line's end and the like."""

    text: str
    line: int


Token = Word | Redirect | Operator


class Lexer:
    """Reads one script. `problems` are the lines of quotes that do not end."""

    def __init__(self, text: str, first_line: int = 1) -> None:
        self._text = text.replace("\r\n", "\n").replace("\\\n", _CONTINUED)
        self._at = 0
        self._line = first_line
        self._documents: list[tuple[Redirect, str, bool, bool]] = []
        self._tests = 0
        self.problems: list[tuple[int, str]] = []

    def tokens(self) -> Iterator[Token]:
        """Every token; a here-document's text is there once its redirection's line has been passed."""
        while self._at < len(self._text):
            char = self._text[self._at]
            operator = _OPERATOR.match(self._text, self._at)
            if char in _BLANKS or char == _CONTINUED:
                self._skip(1)
            elif char == "#":
                yield from self._pass_comment()
            elif self._text.startswith("((", self._at):
                line = self._line
                yield Word((Part("number", self._take_nested("(", ")", head=1)[1:-1]),), line)
            elif operator is None or self._text.startswith(("<(", ">("), self._at) or self._is_in_test(operator[0]):
                yield self._read_token(operator[0] if operator else "")
            elif any(mark in operator[0] for mark in "<>"):
                yield from self._read_redirect(operator[0])
            else:
                line = self._line
                self._skip(len(operator[0]))
                if operator[0] == "\n":
                    self._read_documents()
                self._tests = 0 if operator[0] == ";" else self._tests
                yield Operator(operator[0], line)

    def _pass_comment(self) -> Iterator[Operator]:
        """A comment ends with its line, also where a backslash stands before that."""
        comment = self._rest_of_line().split(_CONTINUED)[0]
        self._skip(len(comment))
        if self._text[self._at : self._at + 1] == _CONTINUED:
            yield Operator("\n", self._line)
            self._skip(1)

    def _is_in_test(self, operator: str) -> bool:
        """Between `[[` and `]]` operators are words."""
        return bool(self._tests) and operator in ("&&", "||", "<", ">", "(", ")", "|")

    def _read_token(self, operator: str) -> Word:
        if operator and not self._text.startswith(("<(", ">("), self._at):
            word = Word((Part("text", operator),), self._line)
            self._skip(len(operator))
            return word
        word = self._read_word()
        self._tests += (word.plain == "[[") - (word.plain == "]]" and self._tests > 0)
        return word

    def _skip(self, count: int) -> None:
        passed = self._text[self._at : self._at + count]
        self._line += passed.count("\n") + passed.count(_CONTINUED)
        self._at += count

    def _rest_of_line(self) -> str:
        end = self._text.find("\n", self._at)
        return self._text[self._at : end if end >= 0 else len(self._text)]

    # -- words ---------------------------------------------------------------------------------------------------------

    def _read_word(self) -> Word:
        parts: list[Part] = []
        line = self._line
        while self._at < len(self._text):
            char = self._text[self._at]
            if self._text.startswith(("<(", ">("), self._at) and not parts:
                parts.append(Part("process", self._take_nested("(", ")")))
            elif char == "(" and _is_array(parts):
                parts.append(Part("array", self._take_nested("(", ")", head=1)))
            elif char in _ENDS_WORD:
                break
            else:
                parts += self._read_piece(char)
        return Word(tuple(_join(parts)), line)

    def _read_piece(self, char: str) -> list[Part]:
        """What stands at a place within a word."""
        if char == "'":
            return [Part("text", self._take_until("'"), quoted=True)]
        if char == '"':
            self._skip(1)
            return self._read_quoted('"')
        if char == "\\":
            text = self._text[self._at + 1 : self._at + 2]
            self._skip(2)
            return [Part("text", text, quoted=True)]
        if char in "$`":
            return [self._read_expansion(quoted=False)]
        self._skip(1)
        return [] if char == _CONTINUED else [Part("text", char)]

    def _take_until(self, quote: str) -> str:
        """What stands between two quotes; the rest of the text where the second is missing."""
        end = self._text.find(quote, self._at + 1)
        if end < 0:
            self.problems.append((self._line, f"a {quote} does not end"))
        text = self._text[self._at + 1 : end if end >= 0 else len(self._text)]
        self._skip(len(text) + 2)
        return text.replace(_CONTINUED, "\\\n")

    def _read_quoted(self, end: str) -> list[Part]:
        """Parts up to a closing quote, or with `end` empty to the end of the text (a here-document)."""
        parts: list[Part] = [Part("text", "", quoted=True)]
        line = self._line
        while self._at < len(self._text) and not (end and self._text[self._at] == end):
            char = self._text[self._at]
            following = self._text[self._at + 1 : self._at + 2]
            if char == "\\" and following in ('$`"\\' if end else "$`\\"):
                parts.append(Part("text", following, quoted=True))
                self._skip(2)
            elif char == "`" or (char == "$" and (_NAME.match(following) or following in ("{", "("))):
                parts.append(self._read_expansion(quoted=True))
            else:
                if char != _CONTINUED:
                    parts.append(Part("text", char, quoted=True))
                self._skip(1)
        if end and self._at >= len(self._text):
            self.problems.append((line, f"a {end} does not end"))
        self._skip(len(end))
        return list(_join(parts))

    def _read_expansion(self, *, quoted: bool) -> Part:
        """What stands at a `$` or a backquote."""
        text, at = self._text, self._at
        if text[at] == "`":
            return Part("command", self._take_until("`").replace("\\`", "`"), quoted)
        if text.startswith("$((", at):
            return Part("number", self._take_nested("(", ")")[1:-1], quoted)
        if text.startswith("$'", at) and not quoted:
            return Part("text", self._take_escaped(), quoted=True)
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

    def _take_nested(self, opening: str, closing: str, *, head: int = 2) -> str:
        """The inside of `$(...)` or `${...}`, `head` characters on; quotes and nested pairs do not end it."""
        start = at = self._at + head
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
        if depth:
            self.problems.append((self._line, f"a {opening} does not end"))
        inner = self._text[start : at - 1] if not depth else self._text[start:]
        self._skip(at - self._at)
        return inner.replace(_CONTINUED, "\\\n")

    def _take_escaped(self) -> str:
        """The text of `$'...'`."""
        found = re.compile(r"\$'((?:[^'\\]|\\.)*)'?", re.DOTALL).match(self._text, self._at)
        self._skip(len(found[0]) if found else 2)
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), found[1], flags=re.DOTALL) if found else ""

    # -- redirections --------------------------------------------------------------------------------------------------

    def _read_redirect(self, operator: str) -> Iterator[Redirect]:
        self._skip(len(operator))
        while self._text[self._at : self._at + 1] in (*_BLANKS, _CONTINUED):
            self._skip(1)
        word = self._read_word()
        kind = operator.lstrip("0123456789&")
        if kind in ("<<", "<<-"):
            redirect = Redirect("<<", Word((), word.line))
            quoted = any(part.quoted for part in word.parts)
            self._documents.append((redirect, word.literal or "", quoted, kind == "<<-"))
            yield redirect
        elif kind not in ("<&", ">&") and operator[:1] != "2":
            yield Redirect(">" if kind in (">|", "<>") else kind, word)

    def _read_documents(self) -> None:
        """The here-documents that begin after this line."""
        for redirect, mark, quoted, is_indented in self._documents:
            lines: list[str] = []
            first = self._line
            while True:
                if self._at >= len(self._text):
                    self.problems.append((first, f"a here-document has no end {mark}"))
                    break
                line = self._rest_of_line()
                self._skip(len(line) + 1)
                stripped = line.lstrip("\t") if is_indented else line
                if stripped == mark:
                    break
                lines.append(stripped)
            text = "".join(f"{line}\n" for line in lines).replace(_CONTINUED, "\\\n")
            parts = [Part("text", text, quoted=True)] if quoted else read_quoted(text, first).parts
            redirect.word = Word(tuple(parts), first)
        self._documents = []


def _is_array(parts: list[Part]) -> bool:
    """Whether a word so far is `NAME=`, which a parenthesis makes an array."""
    return bool(parts) and all(map(_is_plain, parts)) and bool(_ARRAY.match("".join(part.text for part in parts)))


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


def split_words(text: str, first_line: int = 1) -> list[Word]:
    """The words of a text without its operators."""
    return [token for token in Lexer(text, first_line).tokens() if isinstance(token, Word)]


def read_quoted(text: str, first_line: int = 1) -> Word:
    """A text as it is between double quotes, or in a here-document."""
    return Word(tuple(Lexer(text, first_line)._read_quoted("")), first_line)
