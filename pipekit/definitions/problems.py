# The problems of one definition file, gathered so that all are told at once. Knows nothing of YAML.
"""`Problems` collects; `DefinitionErrors` tells them all."""

from dataclasses import dataclass, field

from pipekit.cutting import cut
from pipekit.errors import Invalid

LONGEST_PROBLEM = 1_000


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Problem:
    """One thing wrong; `line` counts from 1, 0 where there is none, `field` is a dotted path."""

    line: int
    field: str
    message: str


class DefinitionErrors(Invalid):
    """The definition file cannot be accepted."""

    def __init__(self, file: str, problems: tuple[Problem, ...]) -> None:
        self.file = file
        self.problems = problems
        first = problems[0].field if problems else ""
        super().__init__("\n".join(self.lines()), field=first, hint="Nothing was changed.")
        # All of them are told, however many: each is cut by itself.
        self.message = "\n".join(self.lines())

    @property
    def code(self) -> str:
        return "Invalid"

    def lines(self) -> list[str]:
        """`orders.yaml:14: modules.orders.strategy: ...`, one for each problem."""
        return [_format(self.file, problem) for problem in self.problems]


def _format(file: str, problem: Problem) -> str:
    where = f"{file}:{problem.line}" if problem.line else file
    told = cut(problem.message, LONGEST_PROBLEM)
    return f"{where}: {cut(problem.field, LONGEST_PROBLEM)}: {told}" if problem.field else f"{where}: {told}"


@dataclass(slots=True)
class Problems:
    """What is wrong with one file, in the order of its lines."""

    file: str
    found: list[Problem] = field(default_factory=list)

    def add(self, line: int, path: str, message: str) -> None:
        """Notes a problem."""
        self.found.append(Problem(line=line, field=path, message=message))

    def raise_any(self) -> None:
        """Raises DefinitionErrors when something was noted."""
        if self.found:
            raise DefinitionErrors(self.file, tuple(sorted(set(self.found))))
