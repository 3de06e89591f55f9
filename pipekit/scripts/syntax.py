# The tokens of a script -> its commands as a tree. Knows the grammar of a shell; expands and runs nothing.
"""`parse_script`: lists, pipelines, `if`, loops, `case`, functions and groups; what no shell would accept is told."""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass

from pipekit.scripts.lexer import Lexer, Operator, Redirect, Token, Word


@dataclass(slots=True)
class Simple:
    """A command with its words and redirections."""

    line: int
    words: list[Word] = field(default_factory=list)
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class Group:
    """`{ ... }` or `( ... )`."""

    line: int
    body: "Block"
    is_subshell: bool
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class If:
    """Conditions with what is done when they hold, and what is done else."""

    line: int
    arms: list[tuple["Block", "Block"]]
    other: "Block"
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class For:
    """A loop over words; None is over the script's arguments. `for ((...))` is a `While`."""

    line: int
    name: str
    words: list[Word] | None
    body: "Block"
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class While:
    """A loop while, or until, a condition holds."""

    line: int
    condition: "Block"
    body: "Block"
    is_until: bool = False
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class Case:
    """A word and what is done for each of its patterns."""

    line: int
    subject: Word
    arms: list[tuple[list[Word], "Block"]]
    redirects: list[Redirect] = field(default_factory=list)


@dataclass(slots=True)
class Function:
    """A function's name and body."""

    line: int
    name: str
    body: "Block"
    redirects: list[Redirect] = field(default_factory=list)


Command = Simple | Group | If | For | While | Case | Function


@dataclass(slots=True)
class Pipeline:
    """Commands that feed each other; `is_negated` by `!`."""

    line: int
    commands: list[Command]
    is_negated: bool = False


@dataclass(slots=True)
class AndOr:
    """Pipelines, each but the first with the `&&` or `||` before it."""

    line: int
    first: Pipeline
    rest: list[tuple[str, Pipeline]] = field(default_factory=list)


Block = list[AndOr]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A script's commands; `problems` are lines that a shell would stumble over."""

    body: Block
    problems: list[tuple[int, str]]


def parse_script(text: str, first_line: int = 1) -> Parsed:
    """The commands of a script, as far as it can be read."""
    lexer = Lexer(text, first_line)
    parser = _Parser(list(lexer.tokens()))
    body: Block = []
    try:
        while not parser.is_done:
            body += parser.read_block()
            if not parser.is_done:
                parser.complain()
    except RecursionError:
        parser.problems.append((first_line, "blocks are nested too deep"))
    return Parsed(body, [*lexer.problems, *parser.problems])


def list_words(node: object) -> Iterator[Word]:
    """Every word of some commands, those of blocks within them too."""
    if isinstance(node, Word):
        yield node
    elif isinstance(node, list | tuple):
        for item in node:
            yield from list_words(item)
    elif is_dataclass(node):
        for one in fields(node):
            yield from list_words(getattr(node, one.name))


_CLOSERS = frozenset(("then", "elif", "else", "fi", "do", "done", "esac", "}"))
_ARM_ENDS = (";;", ";&", ";;&")


class _Parser:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self.problems: list[tuple[int, str]] = []

    # -- looking and taking --------------------------------------------------------------------------------------------

    @property
    def is_done(self) -> bool:
        return self._at >= len(self._tokens)

    @property
    def _next(self) -> Token | None:
        return None if self.is_done else self._tokens[self._at]

    @property
    def _line(self) -> int:
        token = self._tokens[min(self._at, len(self._tokens) - 1)]
        return token.word.line if isinstance(token, Redirect) else token.line

    def _is_operator(self, *texts: str) -> bool:
        token = self._next
        return isinstance(token, Operator) and token.text in texts

    def _keyword(self) -> str:
        token = self._next
        return token.plain if isinstance(token, Word) else ""

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _take_operator(self, *texts: str) -> bool:
        if self._is_operator(*texts):
            self._at += 1
            return True
        return False

    def _skip_lines(self) -> None:
        while self._take_operator("\n"):
            pass

    def _expect(self, keyword: str, line: int) -> None:
        self._skip_lines()
        if self._keyword() == keyword:
            self._at += 1
        else:
            self.problems.append((line, f"what begins here has no `{keyword}`"))

    def complain(self) -> None:
        """Passes over a token that cannot stand where it stands."""
        line = self._line
        token = self._take()
        told = token.text if isinstance(token, Operator) else token.plain if isinstance(token, Word) else "<"
        self.problems.append((line, f"`{told}` stands where it cannot"))

    # -- lists ---------------------------------------------------------------------------------------------------------

    def read_block(self) -> Block:
        """Commands up to what closes a block, which stays."""
        block: Block = []
        while not self.is_done:
            if self._take_operator("\n", ";", "&"):
                continue
            if self._is_operator(")", *_ARM_ENDS) or self._keyword() in _CLOSERS:
                break
            before = self._at
            block.append(self._read_and_or())
            if self._at == before:
                self.complain()
        return block

    def _read_and_or(self) -> AndOr:
        line = self._line
        found = AndOr(line, self._read_pipeline())
        while self._is_operator("&&", "||"):
            operator = self._take()
            self._skip_lines()
            if self.is_done:
                break
            found.rest.append((operator.text if isinstance(operator, Operator) else "", self._read_pipeline()))
        return found

    def _read_pipeline(self) -> Pipeline:
        line, is_negated = self._line, False
        while self._keyword() in ("!", "time"):
            is_negated = is_negated != (self._keyword() == "!")
            self._at += 1
        commands = [] if self.is_done else [self._read_command()]
        while self._take_operator("|", "|&"):
            self._skip_lines()
            if not self.is_done:
                commands.append(self._read_command())
        return Pipeline(line, commands, is_negated)

    # -- commands ------------------------------------------------------------------------------------------------------

    def _read_command(self) -> Command:
        readers = {
            "if": self._read_if, "for": self._read_for, "select": self._read_for, "while": self._read_while,
            "until": self._read_while, "case": self._read_case, "{": self._read_braces, "function": self._read_function,
        }  # fmt: skip
        reader = self._read_subshell if self._is_operator("(") else readers.get(self._keyword())
        if reader is None:
            return self._read_simple()
        command = reader()
        while isinstance(self._next, Redirect):
            redirect = self._take()
            assert isinstance(redirect, Redirect)
            command.redirects.append(redirect)
        return command

    def _read_simple(self) -> Command:
        command = Simple(self._line)
        while not self.is_done:
            token = self._next
            if isinstance(token, Operator):
                if token.text == "(" and len(command.words) == 1 and command.words[0].plain:
                    return self._read_function_body(command.line, command.words[0].plain)
                break
            self._at += 1
            if isinstance(token, Word):
                command.words.append(token)
            elif isinstance(token, Redirect):
                command.redirects.append(token)
        return command

    def _read_function(self) -> Command:
        line = self._line
        self._at += 1
        name = self._keyword()
        self._at += bool(name)
        return self._read_function_body(line, name)

    def _read_function_body(self, line: int, name: str) -> Command:
        if self._take_operator("("):
            self._take_operator(")")
        self._skip_lines()
        body = [] if self.is_done else [AndOr(line, Pipeline(line, [self._read_command()]))]
        return Function(line, name, body)

    def _read_braces(self) -> Command:
        line = self._line
        self._at += 1
        body = self.read_block()
        self._expect("}", line)
        return Group(line, body, is_subshell=False)

    def _read_subshell(self) -> Command:
        line = self._line
        self._at += 1
        body = self.read_block()
        if not self._take_operator(")"):
            self.problems.append((line, "what begins here has no `)`"))
        return Group(line, body, is_subshell=True)

    def _read_if(self) -> Command:
        line = self._line
        found = If(line, [], [])
        while self._keyword() in ("if", "elif"):
            self._at += 1
            condition = self.read_block()
            self._expect("then", line)
            found.arms.append((condition, self.read_block()))
        if self._keyword() == "else":
            self._at += 1
            found.other = self.read_block()
        self._expect("fi", line)
        return found

    def _read_for(self) -> Command:
        line = self._line
        self._at += 1
        head = self._next
        if isinstance(head, Word) and [part.kind for part in head.parts] == ["number"]:
            self._at += 1
            return While(line, [AndOr(line, Pipeline(line, [Simple(line, [head])]))], self._read_body(line))
        name = self._keyword()
        self._at += bool(name)
        self._skip_lines()
        words: list[Word] | None = None
        if self._keyword() == "in":
            self._at += 1
            words = []
            while isinstance(self._next, Word):
                word = self._take()
                assert isinstance(word, Word)
                words.append(word)
        return For(line, name, words, self._read_body(line))

    def _read_while(self) -> Command:
        line, is_until = self._line, self._keyword() == "until"
        self._at += 1
        condition = self.read_block()
        return While(line, condition, self._read_body(line), is_until)

    def _read_body(self, line: int) -> Block:
        """`do ... done`."""
        while self._take_operator(";", "\n"):
            pass
        self._expect("do", line)
        body = self.read_block()
        self._expect("done", line)
        return body

    def _read_case(self) -> Command:
        line = self._line
        self._at += 1
        subject = self._next
        found = Case(line, subject if isinstance(subject, Word) else Word((), line), [])
        self._at += isinstance(subject, Word)
        self._expect("in", line)
        self._skip_lines()
        while not self.is_done and self._keyword() != "esac":
            patterns = self._read_patterns()
            found.arms.append((patterns, self.read_block()))
            if not self._take_operator(*_ARM_ENDS):
                break
            self._skip_lines()
        self._expect("esac", line)
        return found

    def _read_patterns(self) -> list[Word]:
        """`a|b)`, perhaps with a parenthesis before."""
        self._take_operator("(")
        patterns: list[Word] = []
        while not self.is_done and not self._take_operator(")"):
            token = self._take()
            if isinstance(token, Word):
                patterns.append(token)
            elif not (isinstance(token, Operator) and token.text == "|"):
                break
        return patterns
