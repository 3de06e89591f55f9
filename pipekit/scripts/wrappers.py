# Programs that start another one: sudo, nice, timeout, `bash -c` and the like. Knows their flags; runs nothing.
"""`take_off`."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)\Z", re.DOTALL)
# By name: flags that take a value, and how many words stand before the command.
_WRAPPERS: dict[str, tuple[str, int]] = {
    "sudo": ("ugCph", 0), "nice": ("n", 0), "nohup": ("", 0), "timeout": ("ks", 1), "env": ("uC", 0), "time": ("fo", 0),
    "exec": ("a", 0), "command": ("", 0), "builtin": ("", 0), "stdbuf": ("", 0), "ionice": ("cnp", 0),
    "setsid": ("", 0), "chronic": ("", 0), "flock": ("wE", 1), "doas": ("u", 0), "unbuffer": ("", 0),
    "chrt": ("", 1), "taskset": ("", 1),
}  # fmt: skip
_SHELLS = ("sh", "bash", "ksh", "dash", "zsh", "su", "runuser")


@dataclass(slots=True)
class Taken:
    """How many words belong to programs around a command, what they set, and which word is a script (`-c`)."""

    count: int = 0
    assigned: dict[str, str] = field(default_factory=dict)
    script_at: int | None = None


def take_off(words: Sequence[str]) -> Taken:
    """Looks behind the programs that only start another one."""
    taken = Taken()
    while taken.count < len(words):
        name = posixpath.basename(words[taken.count])
        if name in _SHELLS:
            taken.script_at = _find_script(words, taken.count + 1)
            break
        if name not in _WRAPPERS or taken.count + 1 >= len(words):
            break
        valued, operands = _WRAPPERS[name]
        at = _skip_flags(words, taken.count + 1, valued, taken)
        if name == "flock" and at + 1 < len(words) and words[at + 1] == "-c":
            taken.script_at = at + 2 if at + 2 < len(words) else None
            break
        if name == "command" and words[taken.count + 1].startswith("-"):
            taken.count = len(words)
            break
        taken.count = min(at + operands, len(words))
    return taken


def _skip_flags(words: Sequence[str], at: int, valued: str, taken: Taken) -> int:
    while at < len(words):
        found = _ASSIGNMENT.match(words[at])
        if found:
            taken.assigned[found[1]] = found[2]
        elif not words[at].startswith("-") or words[at] == "-":
            break
        elif len(words[at]) == 2 and words[at][1] in valued:
            at += 1
        at += 1
    return at


def _find_script(words: Sequence[str], start: int) -> int | None:
    """The word behind `-c`, also among other flags (`-lc`)."""
    return next((at + 1 for at in range(start, len(words) - 1) if re.fullmatch(r"-\w*c", words[at])), None)
