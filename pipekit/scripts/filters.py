# Commands that print, change or write text, as far as a script's later commands depend on it. Runs nothing.
"""`FILTERS`: what `cat`, `sed`, `head` and the like print. What cannot be followed is a value that is not known."""

import fnmatch
import posixpath
import re
from collections.abc import Callable

from pipekit.scripts.found import MARKER, Unknown
from pipekit.scripts.sed import is_trimming, run_sed
from pipekit.scripts.shell import Shell

Filter = Callable[[Shell, int, list[str], str | None], str]

_FIRST = re.compile(r"-?(?:n\s*)?\+?(\d+)\Z")
_BLANKS = {"[:space:]": " \t\n\r", "[:blank:]": " \t", "\\n": "\n", "\\r": "\r", "\\t": "\t"}
_CLASSES = {"[:upper:]": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "[:lower:]": "abcdefghijklmnopqrstuvwxyz", **_BLANKS}
_ONE_VALUE = re.compile(r"\s*(?:NR\s*[=><]=?\s*\d+)?\s*(?:\{\s*(?:print(?:\s+\$[01])?|\$1=\$1)\s*;?\s*\})?\s*1?\s*\Z")
_PRINTF_ITEM = re.compile(r"%[-0-9.]*[sdqu]")
_PRINTF_ESCAPE = re.compile(
    r"\\(?:([nrt\\\"])|x([0-7][0-9a-fA-F]|[0-9a-fA-F](?![0-9a-fA-F]))|([01][0-7]{2}|[0-7]{1,2}(?![0-7])))"
)
_MORE_ESCAPES = re.compile(r"\\[0-7xuUabcefv]")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
# Orders of `ls` that the files' times and sizes decide.
_BY_STATE = re.compile(r"-[a-zA-Z]*[tScuU]|--sort|--time")
_COUNTED = 1_000
# What `mktemp` gives: no file that lasts.
MADE = "/tmp/made-on-line-"


def name_command(name: str, words: list[str]) -> str:
    """A command as a person reads it."""
    return " ".join([name, *(word if word and not re.search(r"[\s'\"]", word) else f"'{word}'" for word in words)])


def read_input(shell: Shell, line: int, name: str, words: list[str], files: list[str], stdin: str | None) -> str:
    """The text that a filter reads: the files that it names, else what is piped into it."""
    if not files:
        return stdin or ""
    told = name_command(name, words)
    return "".join(shell.read_value(file, line, told) or "" for file in files)


# -- printing ----------------------------------------------------------------------------------------------------------


def _cat(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    files = [word for word in words if word == "-" or not word.startswith("-")]
    if not files:
        return stdin or ""
    texts = [stdin or "" if name == "-" else read_input(shell, line, "cat", words, [name], None) for name in files]
    return "".join(texts)


def _echo(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    end, is_escaped = "\n", False
    while words and re.fullmatch(r"-[neE]+", words[0]):
        end, is_escaped = "" if "n" in words[0] else end, "e" in words[0] or is_escaped
        words = words[1:]
    text = " ".join(words)
    return (text.replace("\\n", "\n").replace("\\t", "\t") if is_escaped else text) + end


def _printf(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    if not words:
        return ""
    values, at, rounds = words[1:], 0, 0

    def take(found: re.Match[str]) -> str:
        nonlocal at
        at += 1
        value = values[at - 1] if at <= len(values) else ""
        if found[0] == "%s" or (found[0][-1] in "dqu" and len(found[0]) == 2):
            return value
        if MARKER.search(value):
            return shell.notes.change(value, f"printf {found[0]}", shell.place(line))
        try:
            return found[0] % (int(value) if found[0][-1] in "du" else value)
        except (ValueError, TypeError):
            return value

    form = _PRINTF_ESCAPE.sub(_unescape, words[0])
    if "%" in _PRINTF_ITEM.sub("", form.replace("%%", "")) or _MORE_ESCAPES.search(form):
        return shell.mark(line, name_command("printf", words))
    text = ""
    while rounds == 0 or (at < len(values) and rounds < _COUNTED and "%" in form):
        text += _PRINTF_ITEM.sub(take, form)
        rounds += 1
    return text.replace("%%", "%")


def _unescape(found: re.Match[str]) -> str:
    letter, hexadecimal, octal = found.groups()
    if letter:
        return _ESCAPED.get(letter, letter)
    return chr(int(hexadecimal, 16) if hexadecimal else int(octal, 8))


def _dirname(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    return (posixpath.dirname(words[-1].rstrip("/")) or ".") + "\n" if words else ".\n"


def _basename(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    name = posixpath.basename(shell.notes.assume(words[0]).rstrip("/")) if words else ""
    return (name.removesuffix(words[1]) if len(words) > 1 else name) + "\n"


def _readlink(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    return words[-1] + "\n" if words else ""


def _pwd(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    return posixpath.normpath(posixpath.join(shell.world.tree.root, shell.cwd)) + "\n"


def _mktemp(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    return f"{MADE}{line}-of-{shell.file.replace('/', '-')}\n"


def _seq(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    numbers = [int(word) for word in words if re.fullmatch(r"-?\d{1,6}", word)]
    if len(numbers) != len(words) or not 0 < len(numbers) < 3:
        return shell.mark(line, name_command("seq", words)) + "\n"
    low, high = (1, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    return "".join(f"{i}\n" for i in range(low, min(high, low + _COUNTED) + 1))


def _ls(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    """The files of the folder that its words name; what lies elsewhere, or which is the newest, nobody knows."""
    if any(_BY_STATE.match(word) for word in words):
        return shell.mark(line, name_command("ls", words)) + "\n"
    wanted = [word for word in words if not word.startswith("-")] or ["."]
    tree = shell.world.tree
    names = [word for word in wanted if shell.resolve(word) in tree.texts]
    for word in wanted:
        path = shell.resolve(word)
        if path == "." or path in tree.folders:
            head = "" if path == "." else f"{path}/"
            names += sorted({known[len(head) :].split("/")[0] for known in tree.texts if known.startswith(head)})
    return "".join(f"{name}\n" for name in names) or shell.mark(line, name_command("ls", words)) + "\n"


def tell_listed(shell: Shell, line: int, words: list[str], names: list[str]) -> None:
    """That `ls` and its patterns were taken for these files."""
    files = ", ".join(name for name in names if not name.startswith("-"))
    told = f"The files that `{name_command('ls', words)}` names are taken as they stand: {files}."
    shell.notes.take(shell.place(line), told)


def mark_picked(shell: Shell, line: int, name: str, words: list[str], text: str) -> str:
    """What a filter prints; one file picked from a list of files (`ls | tail -1`) may be another one tomorrow."""
    if name == "ls":
        shell.listed.add(text)
    if name in ("ls", "cat") or shell.stdin not in shell.listed:
        return text
    if len(text.splitlines()) > 1 or MARKER.search(text):
        shell.listed.add(text)
        return text
    picked = Unknown(shell.place(line), "", f"ls | {name_command(name, words)}", assumed=text.strip())
    return shell.notes.mark(picked) + "\n" if text.strip() else text


# -- changing ----------------------------------------------------------------------------------------------------------


def _keep(shell: Shell, line: int, name: str, words: list[str], text: str, *, is_plain: bool) -> str:
    """A value that is not known, after a filter that leaves one value as it is, or one that does not."""
    if is_plain and shell.notes.only_unknown(text):
        return text
    return shell.notes.change(text, name_command(name, words), shell.place(line)) + "\n"


def _head(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    return _cut_lines(shell, line, "head", words, stdin)


def _tail(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    return _cut_lines(shell, line, "tail", words, stdin)


def _cut_lines(shell: Shell, line: int, name: str, words: list[str], stdin: str | None) -> str:
    count, files, from_start = 10, [], False
    joined = re.sub(r"-n\s+", "-n", " ".join(words))
    for word in joined.split():
        found = _FIRST.match(word)
        if found and word[0] in "-+":
            count, from_start = int(found[1]), "+" in word
        elif not word.startswith("-"):
            files.append(word)
    text = read_input(shell, line, name, words, files, stdin)
    unknown = shell.notes.only_unknown(text)
    if unknown is not None:
        is_sorted = name == "tail" and re.search(r"\border\s+by\b", unknown.sql, re.IGNORECASE) is not None
        return _keep(shell, line, name, words, text, is_plain=not is_sorted)
    lines = text.splitlines(keepends=True)
    if name == "tail":
        return "".join(lines[count - 1 :] if from_start else lines[-count:] if count else [])
    return "".join(lines[:count])


def _tr(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    text, operands = stdin or "", [word for word in words if not word.startswith("-")]
    deletes = any(word.startswith("-") and "d" in word for word in words)
    sets = [_expand_set(word) for word in operands]
    is_odd = any(word.startswith("-") and re.search("[cCst]", word) for word in words)
    if is_odd or not sets or any(one is None for one in sets) or (not deletes and len(sets) < 2):
        return _keep(shell, line, "tr", words, text, is_plain=False)
    first, second = sets[0] or "", (sets[1] if len(sets) > 1 else "") or ""
    if MARKER.search(text) and re.search(r"\w", first):
        return _keep(shell, line, "tr", words, text, is_plain=False)
    with_texts = [""] * len(first) if deletes else [*second, *([second[-1]] * len(first))] if second else []
    table = dict(zip(map(ord, first), with_texts, strict=False))
    return text.translate(table)


def _expand_set(word: str) -> str | None:
    """The letters that `tr` takes `a-z` and `[:upper:]` for."""
    for name, letters in _CLASSES.items():
        word = word.replace(name, letters)
    word = re.sub(r"(\w)-(\w)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), word)
    return None if "\\" in word[:-1] or "[:" in word else word


def _cut(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    given, files, items = {"-d": "\t", "-f": "", "-c": ""}, [], iter(words)
    for word in items:
        if word[:2] in given:
            given[word[:2]] = word[2:] or next(items, "")
        elif not word.startswith("-"):
            files.append(word)
    text = read_input(shell, line, "cut", words, files, stdin)
    if shell.notes.only_unknown(text) or (MARKER.search(text) and not given["-f"].isdigit()):
        is_plain = given["-f"] == "1" and given["-d"] in ("\t", "|", ",", ";")
        return _keep(shell, line, "cut", words, text, is_plain=is_plain)
    if given["-f"].isdigit():
        return _split_lines(text, given["-d"], int(given["-f"]))
    letters = re.fullmatch(r"(\d+)?-(\d+)|(\d+)", given["-c"])
    if letters is None:
        return shell.mark(line, name_command("cut", words)) + "\n"
    start, end = int(letters[1] or letters[3] or 1) - 1, int(letters[2] or letters[3])
    return "".join(f"{one[start:end]}\n" for one in text.splitlines())


def _split_lines(text: str, mark: str, column: int) -> str:
    parts = [one.split(mark) for one in text.splitlines()]
    return "".join(f"{part[column - 1] if column <= len(part) else ''}\n" for part in parts)


def _awk(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    operands, mark, items = [], "", iter(words)
    for word in items:
        if word.startswith("-F"):
            mark = word[2:] or next(items, "")
        elif word == "-v":
            next(items, "")
        elif not word.startswith("-"):
            operands.append(word)
    text = read_input(shell, line, "awk", words, operands[1:], stdin)
    program = operands[0] if operands else ""
    column = re.fullmatch(r"\s*\{\s*print\s+\$(\d+)\s*;?\s*\}\s*", program)
    if not MARKER.search(text) and column is not None and column[1] != "0":
        parts = [one.split(mark) if mark else one.split() for one in text.splitlines()]
        at = int(column[1]) - 1
        return "".join(f"{part[at] if at < len(part) else ''}\n" for part in parts)
    unknown = shell.notes.only_unknown(text)
    # A time has a blank before its hours: the first word of a query's answer may be less than the answer.
    is_one_word = unknown is not None and unknown.assumed is not None and len(unknown.assumed.split()) == 1
    is_plain = bool(_ONE_VALUE.match(program)) and ("$1" not in program or (is_one_word and not mark))
    return _keep(shell, line, "awk", words, text, is_plain=is_plain)


def _grep(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    flags = "".join(word[1:] for word in words if re.fullmatch(r"-\w+", word))
    operands = [word for word in words if not word.startswith("-")]
    text = read_input(shell, line, "grep", words, operands[1:], stdin)
    if "q" in flags or not operands:
        return ""
    pattern = operands[0]
    unknown = shell.notes.only_unknown(text)
    if unknown is not None:
        return _grep_value(shell, line, words, text, pattern, unknown, flags)
    is_simple = not re.search(r"[][*+?(){}|\\]", pattern.strip("^$").replace(".", ""))
    if not is_simple or "o" in flags or MARKER.search(text + pattern):
        return _keep(shell, line, "grep", words, text, is_plain=False)
    found = re.compile(pattern, re.IGNORECASE if "i" in flags else 0)
    return "".join(one for one in text.splitlines(keepends=True) if bool(found.search(one)) != ("v" in flags))


def _grep_value(
    shell: Shell, line: int, words: list[str], text: str, pattern: str, unknown: Unknown, flags: str
) -> str:
    """`grep NAME= file`: the value of that name in a file of settings, with its name before it."""
    setting = re.fullmatch(r"\^?(\w+) *=?.*", pattern)
    if unknown.origin == "file" and setting is not None and unknown.assumed is not None and "v" not in flags:
        found = re.search(rf"^{setting[1]}=(.*)$", unknown.assumed, re.MULTILINE)
        if found is not None:
            command = name_command("grep", words)
            one = Unknown(unknown.place, setting[1], command, "file", path=unknown.path, assumed=found[1])
            return f"{setting[1]}={shell.notes.mark(one)}\n"
    return _keep(shell, line, "grep", words, text, is_plain="v" in flags)


def _sort(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    files = [word for word in words if not word.startswith("-")]
    text = read_input(shell, line, "sort", words, files, stdin)
    if MARKER.search(text) or any(word.startswith("-") and word != "-u" for word in words):
        return _keep(shell, line, "sort", words, text, is_plain=False)
    lines = sorted(text.splitlines())
    return "".join(f"{one}\n" for one in (dict.fromkeys(lines) if "-u" in words else lines))


def _uniq(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    text = stdin or ""
    if MARKER.search(text) or words:
        return _keep(shell, line, "uniq", words, text, is_plain=not words)
    return "".join(f"{one}\n" for one in dict.fromkeys(text.splitlines()))


def _xargs(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    if words and words[0] != "echo":
        shell.notes.add(shell.place(line), f"`{name_command('xargs', words)}` was not followed.")
        return shell.mark(line, name_command("xargs", words)) + "\n"
    return " ".join((stdin or "").split()) + "\n"


def _tee(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    for name in words:
        if not name.startswith("-"):
            shell.write(name, stdin or "", line, append="-a" in words)
    return stdin or ""


def _sed(shell: Shell, line: int, words: list[str], stdin: str | None) -> str:
    """Substitutions are made; anything else changes a value that is not known, unless it only trims it."""
    scripts: list[str] = []
    files: list[str] = []
    in_place = False
    items = iter(words)
    for word in items:
        if word in ("-e", "--expression"):
            scripts.append(next(items, ""))
        elif word.startswith("-"):
            in_place = in_place or word.startswith(("-i", "--in-place"))
        elif scripts:
            files.append(word)
        else:
            scripts.append(word)
    is_extended = any(re.fullmatch(r"-[nis]*[Er][nis]*", word) for word in words)
    if in_place and files:
        for file in files:
            text = run_sed(scripts, shell.find_file(file) or "", is_extended)
            made = shell.mark(line, name_command("sed", words)) if text is None else text
            shell.write(file, made, line)
        return ""
    text = read_input(shell, line, "sed", words, files, stdin)
    if shell.notes.only_unknown(text):
        return _keep(shell, line, "sed", words, text, is_plain=is_trimming(scripts))
    made_of = run_sed(scripts, text, is_extended)
    if made_of is None:
        shell.notes.add(shell.place(line), f"`{name_command('sed', words)[:60]}` was not followed.")
        return _keep(shell, line, "sed", words, text, is_plain=False)
    return made_of


def expand_glob(shell: Shell, pattern: str) -> list[str]:
    """Names in the folder that fit, as a shell lists them: `*/` gives folders. The pattern itself where none does."""
    if not any(mark in pattern for mark in "*?["):
        return [pattern]
    head = ""
    if pattern.startswith("/"):
        inside = shell.world.tree.find_inside(pattern)
        if inside.startswith("/"):
            return [pattern]
        head, pattern = posixpath.relpath(".", shell.cwd) + "/", inside + "/" * pattern.endswith("/")
    wanted = pattern.rstrip("/").removeprefix("./")
    names: set[str] = set()
    for path in {*shell.world.tree.texts, *shell.written}:
        relative = posixpath.relpath(path, "." if head else shell.cwd)
        parts = relative.split("/")
        names |= {"/".join(parts[:i]) for i in range(1, len(parts) + (not pattern.endswith("/")))}
    depth = wanted.count("/")
    fits = sorted(n for n in names if n.count("/") == depth and n[:1] != "." and fnmatch.fnmatchcase(n, wanted))
    head = "" if head == "./" else head
    return [head + name for name in fits] or [pattern]


FILTERS: dict[str, Filter] = {
    "cat": _cat, "echo": _echo, "printf": _printf, "print": _echo, "dirname": _dirname, "basename": _basename,
    "readlink": _readlink, "realpath": _readlink, "pwd": _pwd, "mktemp": _mktemp, "seq": _seq, "ls": _ls,
    "head": _head, "tail": _tail, "tr": _tr, "cut": _cut, "awk": _awk, "gawk": _awk, "grep": _grep, "egrep": _grep,
    "fgrep": _grep, "sort": _sort, "uniq": _uniq, "xargs": _xargs, "tee": _tee, "sed": _sed,
}  # fmt: skip
