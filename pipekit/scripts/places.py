# What `cp`, `mv` and `rm` do to the files that a script's later commands read. Moves nothing.
"""`copy_file`, `move_files`, `remove_files`, and `find_taken`: queries whose file is another one the next time."""

import posixpath

from pipekit.scripts.filters import expand_glob
from pipekit.scripts.shell import Shell, World, is_query


def copy_file(shell: Shell, line: int, texts: list[str]) -> None:
    """`cp` of one file."""
    names = [text for text in texts if not text.startswith("-")]
    if len(names) != 2 or shell.find_file(names[0]) is None:
        return
    target = shell.resolve(names[1])
    if target in shell.world.tree.folders or names[1].endswith("/"):
        target = posixpath.join(target, posixpath.basename(names[0]))
    place = target if target.startswith("/") else posixpath.join(shell.world.tree.root, target)
    shell.write(place, shell.read_value(names[0], line, f"cp {names[0]}") or "", line)


def move_files(shell: Shell, line: int, texts: list[str]) -> None:
    """`mv`: of one file its text goes along; where a file was there may be another one when the script runs again."""
    copy_file(shell, line, texts)
    names = [text for text in texts if not text.startswith("-")]
    _take_away(shell, line, "mv", names[:-1])


def remove_files(shell: Shell, line: int, texts: list[str]) -> None:
    """`rm`."""
    _take_away(shell, line, "rm", [text for text in texts if not text.startswith("-")])


def _take_away(shell: Shell, line: int, command: str, patterns: list[str]) -> None:
    for name in (one for pattern in patterns for one in expand_glob(shell, pattern)):
        path = shell.resolve(name)
        text = shell.world.tree.texts.get(path)
        if text is not None and path not in shell.written and is_query(path, text):
            shell.world.taken_away[path] = f"`{command} {name}` ({shell.place(line)})"


def find_taken(world: World, query: str) -> str:
    """The command that takes away the file which a query is from, by its text, as it may be a copy; `""` for none."""
    texts = world.tree.texts
    return next((told for path, told in world.taken_away.items() if texts[path].strip() == query.strip()), "")
