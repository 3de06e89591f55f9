# Goes through a script's commands in order: lists, branches, loops, redirections. Runs nothing.
"""`follow`. Of a condition that only running would tell one outcome is taken; `Choices` says which."""

import fnmatch
import re
from collections.abc import Iterator
from contextlib import suppress

from pipekit.scripts.commands import ASKING, call_command
from pipekit.scripts.conditions import both, either, negate
from pipekit.scripts.expansion import expand, expand_fields, show
from pipekit.scripts.found import MARKER
from pipekit.scripts.lexer import Redirect, Word
from pipekit.scripts.lists import list_items, list_lines
from pipekit.scripts.shell import (
    FALSE,
    MOST_COMMANDS,
    OPEN,
    TRUE,
    Decision,
    LeftLoop,
    LeftRound,
    LeftScript,
    Shell,
    Verdict,
)
from pipekit.scripts.syntax import (
    AndOr,
    Block,
    Case,
    Command,
    For,
    Group,
    If,
    Pipeline,
    Simple,
    While,
    list_words,
)

MOST_ROUNDS = 1_000
_TESTS = ("[", "[[", "test")
_LEAVES = ("exit", "return", "continue", "break", "die", "usage", "abort", "fail")


def follow(shell: Shell, block: Block) -> None:
    """Goes through commands; what they print is said, how the last one ended is the shell's status."""
    for node in block:
        _follow_list(shell, node)


def _follow_list(shell: Shell, node: AndOr) -> None:
    """`a && b || c`. Tests are put together before their outcome is decided."""
    printed = len(shell.out)
    _follow_pipeline(shell, node.first)
    told, before_it = [_show(node.first)], node.first
    for operator, pipeline in node.rest:
        if shell.status.holds is None and _is_test(pipeline):
            before = shell.status
            _follow_pipeline(shell, pipeline)
            shell.status = (both if operator == "&&" else either)(before, shell.status)
            told += [operator, _show(pipeline)]
            continue
        holds = shell.status.holds
        if holds is None and operator == "||" and not _asks(before_it) and shell.status.if_present is None:
            holds = True
        if holds is None:
            leaves = _leaves(shell, [AndOr(pipeline.line, pipeline)])
            outcomes = (leaves, False) if operator == "&&" else (False, leaves)
            holds = _decide(shell, node.line, " ".join(told), shell.status, outcomes)
            if not holds:
                del shell.out[printed:]
        shell.status = TRUE if holds else FALSE
        if holds == (operator == "&&"):
            _follow_pipeline(shell, pipeline)
        told, before_it = [_show(pipeline)], pipeline


def _asks(pipeline: Pipeline) -> bool:
    """Whether a script asks a command how things are, and does not only hope that it works."""
    last = pipeline.commands[-1] if pipeline.commands else None
    name = last.words[0].plain if isinstance(last, Simple) and last.words else ""
    return _is_test(pipeline) or name in ASKING


def _is_test(pipeline: Pipeline) -> bool:
    first = pipeline.commands[0] if len(pipeline.commands) == 1 else None
    return isinstance(first, Simple) and bool(first.words) and first.words[0].plain in _TESTS


def _show(pipeline: Pipeline) -> str:
    texts = [show(command.words) for command in pipeline.commands if isinstance(command, Simple)]
    return ("! " if pipeline.is_negated else "") + " | ".join(texts)


def _show_block(block: Block) -> str:
    return "; ".join(
        " ".join([_show(node.first), *(word for op, item in node.rest for word in (op, _show(item)))])
        for node in block
    )  # fmt: skip


def _decide(shell: Shell, line: int, told: str, verdict: Verdict, leaves: tuple[bool, bool]) -> bool:
    """The outcome of a condition: not the one that leaves; that the file or value is there; else that it holds."""
    wanted = verdict.if_present is None or verdict.if_present
    taken = leaves[1] if leaves[0] != leaves[1] else wanted
    is_absence = verdict.if_present is not None
    return shell.choices.decide(Decision(shell.place(line), told, is_absence, taken))


def _leaves(shell: Shell, block: Block) -> bool:
    """Whether commands plainly end what they stand in."""
    for node in block:
        for command in (node.first, *(pipeline for _, pipeline in node.rest)):
            for item in command.commands:
                if isinstance(item, Group) and not item.is_subshell and _leaves(shell, item.body):
                    return True
                name = item.words[0].plain if isinstance(item, Simple) and item.words else ""
                if name in _LEAVES and name not in shell.functions:
                    return True
                if name in shell.functions and _exits(shell.functions[name][1]):
                    return True
    return False


def _exits(block: Block) -> bool:
    """Whether a function's own commands end the script."""
    for node in block:
        for item in node.first.commands:
            if isinstance(item, Group) and _exits(item.body):
                return True
            if isinstance(item, Simple) and item.words and item.words[0].plain == "exit":
                return True
    return False


# -- pipelines and redirections ----------------------------------------------------------------------------------------


def _follow_pipeline(shell: Shell, pipeline: Pipeline) -> None:
    stdin = shell.stdin
    for command in pipeline.commands[:-1]:
        with shell.collecting() as out:
            _follow_redirected(shell, command, stdin)
        stdin = "".join(out)
    for command in pipeline.commands[-1:]:
        _follow_redirected(shell, command, stdin)
    if pipeline.is_negated:
        shell.status = negate(shell.status)


def _follow_redirected(shell: Shell, command: Command, stdin: str | None) -> None:
    shell.read += 1
    if shell.read > MOST_COMMANDS:
        shell.notes.add(shell.place(command.line), f"Beyond {MOST_COMMANDS:,} commands the script was not read.")
        raise LeftScript
    given = _read_stdin(shell, command.redirects, command.line)
    saved, shell.stdin = shell.stdin, stdin if given is None else given
    target = next((item for item in command.redirects if item.operator in (">", ">>")), None)
    is_exec = isinstance(command, Simple) and [word.plain for word in command.words] == ["exec"]
    try:
        if target is None or is_exec:
            _follow_command(shell, command)
            return
        with shell.collecting() as out:
            try:
                _follow_command(shell, command)
            finally:
                name = expand(shell, target.word)
                shell.write(name, "".join(out), command.line, append=target.operator == ">>")
    finally:
        shell.stdin = saved if given is not None or stdin is not saved else shell.stdin


def _read_stdin(shell: Shell, redirects: list[Redirect], line: int) -> str | None:
    for redirect in redirects:
        if redirect.operator not in ("<", "<<", "<<<"):
            continue
        text = expand(shell, redirect.word)
        if redirect.operator == "<":
            return shell.read_value(text, line, f"< {text}") or ""
        return text if redirect.operator == "<<" else f"{text}\n"
    return None


def _follow_command(shell: Shell, command: Command) -> None:
    if isinstance(command, Simple):
        _follow_simple(shell, command)
    elif isinstance(command, Group):
        if command.is_subshell:
            with shell.apart(), suppress(LeftScript):
                follow(shell, command.body)
        else:
            follow(shell, command.body)
    elif isinstance(command, If):
        _follow_if(shell, command)
    elif isinstance(command, For):
        _follow_for(shell, command)
    elif isinstance(command, While):
        _follow_while(shell, command)
    elif isinstance(command, Case):
        _follow_case(shell, command)
    else:
        shell.functions[command.name] = (shell.file, command.body)


def _follow_simple(shell: Shell, command: Simple) -> None:
    words = list(command.words)
    if len(words) == 1 and [part.kind for part in words[0].parts] == ["number"]:
        call_command(shell, command.line, words, {})
        return
    assigned: list[tuple[str, str, bool]] = []
    shell.status = TRUE
    while words and (found := shell.split_assignment(words[0])):
        name, rest, append = found
        if rest.parts and rest.parts[-1].kind == "array":
            items = list_items(shell, rest.parts[-1].text, command.line)
            shell.arrays[name] = [*shell.arrays.get(name, []), *items] if append else items
            shell.variables[name] = shell.arrays[name][0] if shell.arrays[name] else ""
        else:
            value = expand(shell, rest)
            asked = shell.notes.only_unknown(value) if [part.kind for part in rest.parts] == ["command"] else None
            if asked is not None:
                asked.name = name
            assigned.append((name, value, append))
        words = words[1:]
    if words:
        kept = {name: shell.variables.get(name, "") if append else "" for name, _, append in assigned}
        call_command(shell, command.line, words, {name: kept[name] + value for name, value, _ in assigned})
        return
    for name, value, append in assigned:
        shell.assign(name, value, command.line, append=append)


# -- branches ----------------------------------------------------------------------------------------------------------


def _follow_if(shell: Shell, command: If) -> None:
    for at, (condition, body) in enumerate(command.arms):
        follow(shell, condition)
        holds = shell.status.holds
        if holds is None:
            line = condition[0].line if condition else command.line
            is_last = at == len(command.arms) - 1
            leaves = _leaves(shell, body), is_last and _leaves(shell, command.other)
            holds = _decide(shell, line, _show_block(condition), shell.status, leaves)
        shell.status = TRUE
        if holds:
            follow(shell, body)
            return
    follow(shell, command.other)


def _follow_case(shell: Shell, command: Case) -> None:
    subject = expand(shell, command.subject)
    reads_options, shell.reads_options = shell.reads_options, False
    for patterns, body in command.arms:
        texts = [expand(shell, pattern) for pattern in patterns]
        told = f"{show([command.subject])} is {' or '.join(texts)}"
        line = patterns[0].line if patterns else command.line
        if reads_options:
            _follow_option(shell, line, told, body)
            continue
        holds: bool | None = any(fnmatch.fnmatchcase(subject, text) for text in texts)
        if MARKER.search(subject) and "*" not in texts:
            is_empty = texts == [""] and shell.notes.only_unknown(subject) is not None
            verdict = Verdict(None, False) if is_empty else OPEN
            holds = _decide(shell, line, told, verdict, (_leaves(shell, body), False))
        if holds:
            follow(shell, body)
            return


def _follow_option(shell: Shell, line: int, told: str, body: Block) -> None:
    """An arm of a loop over options: it is given, or it is not, whatever else is. One without a value is not."""
    if _leaves(shell, body):
        return
    parts = [part for word in list_words(body) for part in word.parts]
    has_value = any(part.kind == "variable" and re.match(r"OPTARG\b|[12]\b", part.text) for part in parts)
    verdict = Verdict(None, True) if has_value else Verdict(None)
    leaves = (False, False) if has_value else (True, False)
    if _decide(shell, line, told, verdict, leaves):
        follow(shell, body)


# -- loops -------------------------------------------------------------------------------------------------------------


def _follow_for(shell: Shell, command: For) -> None:
    if command.words is None:
        values = list(shell.arguments) if shell.arguments is not None else [shell.mark(command.line, "$@", "argument")]
    else:
        values = [value for word in command.words for value in _list_values(shell, word)]
    if len(values) > MOST_ROUNDS:
        shell.notes.add(shell.place(command.line), f"Of this loop's {len(values)} rounds {MOST_ROUNDS} were read.")
    for value in values[:MOST_ROUNDS]:
        before = shell.cwd
        shell.variables[command.name] = value
        try:
            follow(shell, command.body)
        except LeftRound:
            continue
        except LeftLoop:
            break
        finally:
            shell.cwd = before
    _mark_last(shell, command, values)


def _mark_last(shell: Shell, command: For, values: list[str]) -> None:
    """After a loop over files its variables hold the last of them, which may be another one tomorrow."""
    has_pattern = any(part.kind == "text" and re.search(r"[*?]", part.text) and not part.quoted
                      for word in command.words or () for part in word.parts)  # fmt: skip
    for name in [name for name, value in shell.variables.items() if has_pattern and values and value == values[-1]]:
        told = f"for {command.name} in {show(command.words or ())}"
        shell.variables[name] = shell.mark(command.line, told, assumed=values[-1])


def _list_values(shell: Shell, word: Word) -> list[str]:
    """What a loop goes over: a word, what it is split into, or a list as the folder stands."""
    if len(word.parts) == 1 and not word.parts[0].quoted and word.parts[0].kind == "command":
        text = expand(shell, word)
        pieces = [text] if shell.notes.only_unknown(text) else [piece for piece in shell.split(text) if piece]
    else:
        text = "".join(field.text for field in expand_fields(shell, [word], assumes=False))
        is_one = shell.notes.only_unknown(text) is not None
        pieces = [text] if is_one else [field.text for field in expand_fields(shell, [word])]
    return [one for piece in pieces for one in list_lines(shell, piece, True)]


def _follow_while(shell: Shell, command: While) -> None:
    names = set(_list_names(command.condition))
    if "read" in names and shell.stdin is not None:
        shell.stdin = "".join(f"{line}\n" for line in list_lines(shell, shell.stdin, False))
    follows = names <= {*_TESTS, "read", "getopts", "["} and bool(names)
    for _ in range(MOST_ROUNDS):
        before = (dict(shell.variables), shell.arguments, shell.stdin)
        follow(shell, command.condition)
        status = negate(shell.status) if command.is_until else shell.status
        if status.holds is False:
            return
        if not _follow_round(shell, command, status):
            return
        is_same = before == (shell.variables, shell.arguments, shell.stdin)
        if not follows or status.holds is None or is_same:
            return
    shell.notes.add(shell.place(command.line), f"Of this loop {MOST_ROUNDS} rounds were read.")


def _follow_round(shell: Shell, command: While, status: Verdict) -> bool:
    """One round of a loop; whether it may go on."""
    if status.holds is None:
        shell.reads_options = True
    told = _show_block(command.condition)
    is_doubtful = status.holds is None and not re.search(r"\bgetopts\b|\$#|\$\{?1", told)
    if is_doubtful:
        shell.doubts.append(f"stands in a loop of which nobody knows how often it goes round: `{told}`")
    try:
        follow(shell, command.body)
    except LeftRound:
        return True
    except LeftLoop:
        return False
    finally:
        shell.reads_options = False
        if is_doubtful:
            shell.doubts.pop()
    return True


def _list_names(block: Block) -> Iterator[str]:
    """The commands that a condition's pipelines begin with."""
    for node in block:
        for pipeline in (node.first, *(item for _, item in node.rest)):
            first = pipeline.commands[0] if pipeline.commands else None
            words = first.words if isinstance(first, Simple) else []
            yield next((word.plain for word in words if not re.match(r"\w+=", show([word]))), "")
