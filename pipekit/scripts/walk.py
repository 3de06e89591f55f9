# Goes through the scripts of a folder as they are started: by crontabs, by each other, by hand. Knows no SQL.
"""`walk_scripts`: what each script does, and what it would do when its conditions came out the other way."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipekit.scripts.crontab import CronLine, is_crontab, read_crontab
from pipekit.scripts.defaults import describe_events, find_defaults
from pipekit.scripts.filters import MADE
from pipekit.scripts.found import Alternative, Notes, Place, ScriptCall, Unit
from pipekit.scripts.interpret import follow
from pipekit.scripts.shell import DEEPEST, Choices, Decision, Left, LeftScript, Shell, World
from pipekit.scripts.syntax import Block, parse_script
from pipekit.scripts.tree import Tree

MOST_RUNS = 80
_Flips = frozenset[tuple[Place, str]]


@dataclass(frozen=True, slots=True)
class Walked:
    """`units` are scripts that nobody here starts, `lines` those of crontabs; `world` is what all of them share."""

    units: Sequence[Unit]
    lines: Sequence[tuple[CronLine, Unit]]
    world: World


def walk_scripts(tree: Tree, notes: Notes) -> Walked:
    """Every script. It takes two or three rounds: the first tells which files are written for a later run."""
    walk = _Walk(tree, Notes())
    walk.go()
    state = frozenset(path for path in walk.world.writes if not path.startswith(MADE))
    told = list(notes.lines)
    for _ in range(2 if state else 1):
        notes.lines[:] = told
        notes.taken.clear()
        notes.secrets.clear()
        walk = _Walk(tree, notes, state, walk)
        walked = walk.go()
    return walked


@dataclass(frozen=True, slots=True)
class _Text:
    """Commands, and where they stand."""

    path: str
    text: str
    first_line: int = 1


@dataclass(slots=True)
class _Ran:
    """A script after it was gone through once, and what it printed and wrote."""

    shell: Shell
    ended: bool
    printed: str


_Explored = tuple[Unit, Mapping[str, str], str]


class _Walk:
    """One round through every script. `earlier` is the round before: who is started by whom, and what is written."""

    def __init__(
        self, tree: Tree, notes: Notes, state: frozenset[str] = frozenset(), earlier: "_Walk | None" = None
    ) -> None:
        is_same = earlier is not None and earlier.world.notes is notes
        known = earlier.world.writes if earlier is not None and is_same else {}
        self.world: World = World(tree, notes, follow, self.start, state, known=known)
        self._earlier = earlier
        self._known: dict[object, _Explored] = {}
        self._called: set[str] = set()

    def go(self) -> Walked:
        """Goes through every script that nobody starts or reads in; in the first round through all of them."""
        tree = self.world.tree
        lines = [
            found
            for path, text in tree.texts.items()
            if is_crontab(path)
            for line in read_crontab(path, text, self.world.notes)
            if (found := self._follow_line(line)) is not None
        ]
        inner = set() if self._earlier is None else self._earlier._called | self._earlier.world.sourced
        outer = [path for path in tree.scripts if path not in inner]
        units = [self._explore_script(path, None, {}, {}, ())[0] for path in outer]
        for path in tree.scripts:
            if path not in {*outer, *self._called, *self.world.sourced}:
                units.append(self._explore_script(path, None, {}, {}, ())[0])
        return Walked(sorted(units, key=lambda unit: unit.path), lines, self.world)

    def _follow_line(self, line: CronLine) -> tuple[CronLine, Unit] | None:
        """What a crontab's line starts; in a system's own crontab a user stands before its command."""
        told = list(self.world.notes.lines)
        settings = Shell(self.world, line.place.file, line.place.file, reads_settings=True)
        for name, value, number in line.settings:
            settings.assign(name, value, number)
        for command in (line.command, line.command.lstrip().partition(" ")[2]):
            text = _Text(line.place.file, command, line.place.line)
            unit = self._explore(text, (), settings.variables, {}, ())[0]
            if unit.events:
                return line, unit
            self.world.notes.lines[:] = told
        self.world.notes.add(line.place, "This line of the crontab runs no script of the folder.")
        return None

    def start(self, shell: Shell, line: int, path: str, arguments: tuple[str, ...]) -> None:
        """A script starts another one, which has its variables and the files that it wrote."""
        if path in (*shell.chain, shell.script):
            return
        if len(shell.chain) >= DEEPEST:
            self.world.notes.add(shell.place(line), "Scripts start each other too deep; this one was not followed.")
            return
        self._called.add(path)
        kept = {name: shell.variables[name] for name in shell.exported if name in shell.variables}
        chain = (*shell.chain, shell.script)
        unit, written, printed = self._explore_script(path, arguments, kept, shell.written, chain)
        shell.events.append(ScriptCall(shell.place(line), unit))
        shell.written |= written
        shell.say(printed)

    def _explore_script(
        self,
        path: str,
        arguments: tuple[str, ...] | None,
        variables: Mapping[str, str],
        written: Mapping[str, str],
        chain: tuple[str, ...],
    ) -> _Explored:
        return self._explore(_Text(path, self.world.tree.texts[path]), arguments, variables, written, chain)

    def _explore(
        self,
        text: _Text,
        arguments: tuple[str, ...] | None,
        variables: Mapping[str, str],
        written: Mapping[str, str],
        chain: tuple[str, ...],
    ) -> _Explored:
        """A script with each of its conditions the other way, each of them once."""
        key = (text, chain, self._describe(arguments), self._describe(variables), self._describe(written))
        if key in self._known:
            return self._known[key]
        parsed = parse_script(text.text, text.first_line)

        def run(flips: _Flips) -> _Ran:
            home = "." if is_crontab(text.path) else posixpath.dirname(text.path) or "."
            given = {**variables, "0": posixpath.join(self.world.tree.root, text.path)}
            shell = Shell(
                self.world, text.path, text.path, arguments, Choices(flips), given, set(variables), cwd=home,
                chain=chain, written=dict(written),
            )  # fmt: skip
            return _run(shell, parsed.body)

        first = run(frozenset())
        decisions = dict(first.shell.choices.made)
        pending: list[_Flips] = [frozenset((one,)) for one in decisions]
        runs: list[tuple[_Flips, _Ran]] = []
        while pending and len(runs) < MOST_RUNS:
            flips = pending.pop(0)
            runs.append((flips, run(flips)))
            fresh = {key: one for key, one in runs[-1][1].shell.choices.made.items() if key not in decisions}
            decisions |= fresh
            pending += [flips | {one} for one in fresh]
        problems = [f"line {line}: {told}" for line, told in parsed.problems]
        for line, told in parsed.problems:
            self.world.notes.add(Place(text.path, line), f"The script is broken: {told}.")
        if pending:
            problems.append("it has more conditions than are followed")
        alternatives = tuple(_list_alternatives(self.world.notes, first, runs, decisions))
        unit = Unit(text.path, arguments, tuple(first.shell.events), alternatives, tuple(problems))
        self._known[key] = (unit, first.shell.written, first.printed)
        return self._known[key]

    def _describe(self, texts: Mapping[str, str] | tuple[str, ...] | None) -> object:
        """Texts as what they mean, to know the same ones again."""
        describe = self.world.notes.describe
        if texts is None or isinstance(texts, tuple):
            return None if texts is None else tuple(map(describe, texts))
        return tuple(sorted((name, describe(text)) for name, text in texts.items()))


def _run(shell: Shell, body: Block) -> _Ran:
    ended = False
    with shell.collecting() as out:
        try:
            follow(shell, body)
        except Left as left:
            ended = isinstance(left, LeftScript)
    return _Ran(shell, ended, "".join(out))


def _list_alternatives(
    notes: Notes, first: _Ran, runs: Sequence[tuple[_Flips, _Ran]], decisions: Mapping[tuple[Place, str], Decision]
) -> Iterator[Alternative]:
    """The runs that do something else; a value that only stands for one that is not there yet is its default."""
    base = describe_events(notes, first.shell.events)
    for flips, ran in runs:
        made = [decisions[key] for key in decisions if key in flips]
        events = ran.shell.events
        if describe_events(notes, events) == base:
            continue
        if all(one.is_absence for one in made) and find_defaults(notes, first.shell.events, events):
            continue
        told = " and ".join(f"`{one.told}`" if not one.taken else f"not `{one.told}`" for one in made)
        yield Alternative(made[-1].place, told, ran.ended and not first.ended, tuple(events))
