# Programs that talk to databases: jrunner, psql, sqlite3, sqlcmd, as scripts call them. Knows their flags; runs none.
"""`find_client`: what a call of one of them says goes into the shell's events, or stands for its answer."""

import posixpath
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from urllib.parse import quote, unquote, urlsplit

from pipekit.drivers.unused import drop_unused
from pipekit.drivers.urls import place_file, split_login
from pipekit.scripts.expansion import expand_dollars
from pipekit.scripts.found import MARKER, Database, Load, Place, Secret, Statements, Unknown
from pipekit.scripts.shell import DEEPEST, Field, Shell
from pipekit.scripts.sqlreader import split_statements
from pipekit.scripts.tree import calls_jrunner, is_other_program

Client = Callable[[Shell, int, list[Field]], str]

_VALUED = ("-scu", "-scn", "-scp", "-dcu", "-dcn", "-dcp", "-sq", "-dt", "-f")
_PSQL_VALUED = "hpUdcfvoFRLTP"
_SQLITE_VALUED = ("-separator", "-cmd", "-newline", "-nullvalue", "-init", "-mmap", "-vfs")
_PSQL_LONG = {
    "host": "h", "port": "p", "username": "U", "dbname": "d", "command": "c", "file": "f", "set": "v", "variable": "v",
    "output": "o", "field-separator": "F",
}  # fmt: skip
# What psql prints or does for itself; SQL goes on without.
_PSQL_HARMLESS = re.compile(
    r"\\(?:timing|echo|pset|set|unset|x|t|a|q|conninfo|encoding|warn|o|qecho|c|connect|r|f|H|errverbose)\b"
)


def find_client(fields: list[Field]) -> Client | None:
    """The reader of a call, None for a program that talks to no database we know."""
    name = posixpath.basename(fields[0].text)
    words = [item.text for item in fields[1:3]]
    if re.fullmatch(r"jrunner(?:\.sh|\.jar)?", name) or (name == "pipekit" and "jrunner" in words):
        return _jrunner
    if name != "ssh" and {"-scu", "-sq"} <= {item.text for item in fields[1:]}:
        return _jrunner
    return {"psql": _psql, "sqlite3": _sqlite3, "sqlcmd": _sqlcmd, "db2": _db2}.get(name)


# -- jrunner -----------------------------------------------------------------------------------------------------------


def _jrunner(shell: Shell, line: int, fields: list[Field]) -> str:
    place = shell.place(line)
    given, flags = _split_flags(fields)
    source = _find_jdbc(shell, place, given, "s")
    name = given.get("-sq", Field("")).text
    query = _read_query(shell, line, name)
    if source is None or query is None:
        shown = shell.notes.assume(name) or "(none)"
        why = "its source URL is not known" if source is None else f"its query's file {shown} is not known"
        shell.notes.add(place, f"A call of jrunner was left out: {why}.")
        return ""
    if "-dcu" not in given and "-dt" not in given:
        return _answer(shell, place, "jrunner", query, source)
    dest = _find_jdbc(shell, place, given, "d")
    if dest is None:
        shell.notes.add(place, "A load by jrunner was left out: its dest URL is not known.")
        return ""
    shell.events.append(_build_load(shell, place, source, dest, query, given, flags))
    return ""


def _split_flags(fields: list[Field]) -> tuple[dict[str, Field], list[str]]:
    given: dict[str, Field] = {}
    flags: list[str] = []
    items = iter(fields[1:])
    for item in items:
        if item.text in _VALUED:
            given[item.text] = next(items, Field(""))
        elif item.text:
            flags.append(item.text)
    return given, flags


def _build_load(
    shell: Shell, place: Place, source: Database, dest: Database, query: str, given: dict[str, Field], flags: list[str]
) -> Load:
    """A load, and what of its flags is not as sure as the script's own text."""
    doubts = list(shell.doubts)
    table = given.get("-dt", Field("")).text
    is_for_a_run = shell.notes.is_of_process(table)
    unsure = [(table, "the dest table")] if not is_for_a_run else []
    unsure += [(flag, "a flag of jrunner") for flag in flags]
    if shell.resolve(given["-sq"].text) not in shell.written:
        unsure.append((given["-sq"].text, "the query's file"))
    for text, what in unsure:
        for unknown in shell.notes.find_unknowns(text):
            doubts.append(f"{what} is what `{unknown.command}` gives, {tell_assumed(unknown)}")
    taken: list[str] = []
    for text in (given["-scu"].text, given["-dcu"].text):
        for unknown in shell.notes.find_unknowns(text):
            if not unknown.command.endswith(f"={unknown.assumed}"):
                taken.append(f"an address holds what `{unknown.command}` gives; taken as `{unknown.assumed}`")
    known = set(shell.notes.assume(" ".join(flags)).split())
    doubts += find_doubts(shell, shell.resolve(given["-sq"].text))
    table = table if is_for_a_run else shell.notes.assume(table)
    name = shell.resolve(given["-sq"].text)
    clear, trim = "-c" in known, "-t" in known
    step = len(shell.notes.unknowns)
    return Load(place, source, dest, query, name, table, clear, trim, tuple(doubts), tuple(taken), shell.script, step)


def find_doubts(shell: Shell, path: str) -> list[str]:
    """Programs that nobody here reads and that name the file of a query: they may write it. jrunner only reads it."""
    texts, name = shell.world.tree.texts, posixpath.basename(path)
    if path in shell.written or path not in texts or path in shell.world.state:
        return []
    others = [one for one, text in texts.items() if is_other_program(one, text) and not calls_jrunner(text)]
    named = [*shell.touched.get(path, ()), *(one for one in others if name in texts[one])]
    return [f"{one} names its query's file {name}: does it write it?" for one in named]


def tell_assumed(unknown: Unknown) -> str:
    """What a value is as the folder stands, in words."""
    return "of which nothing is known" if unknown.assumed is None else f"as the folder stands `{unknown.assumed}`"


def _read_query(shell: Shell, line: int, name: str) -> str | None:
    """The query's text; `$NAME` in it is taken for the script's variable even where the script puts nothing in."""
    text = shell.stdin if name in ("/dev/stdin", "-") else shell.find_query(name, line) if name else None
    return None if text is None else expand_dollars(shell, text)


def _find_jdbc(shell: Shell, place: Place, given: dict[str, Field], side: str) -> Database | None:
    url = given.get(f"-{side}cu")
    text = shell.notes.assume(url.text) if url is not None else ""
    if url is None or not text.startswith("jdbc:") or MARKER.search(text):
        return None
    login = split_login(text)
    secret = _find_secret(place, given.get(f"-{side}cp"))
    if secret is None and login.password:
        secret = Secret(place, login.password, "")
    if secret is not None:
        secret = replace(secret, value=shell.notes.assume(secret.value))
        shell.notes.secrets.append(secret)
    user = shell.notes.assume(given[f"-{side}cn"].text) if f"-{side}cn" in given else login.username
    kept = drop_unused(login.jdbc_url)
    for unused in kept.names:
        shell.notes.add(place, f"'{unused}' was left out of an address: it concerns its JDBC driver alone.")
    return Database(_place_file(shell, kept.jdbc_url), user or None, secret, url.variable)


def _find_secret(place: Place, item: Field | None) -> Secret | None:
    if item is None or (not item.text and not item.variable):
        return None
    return Secret(place, item.text, item.variable)


def _place_file(shell: Shell, jdbc_url: str) -> str:
    """The URL of a database in a file, its name as it is from anywhere."""
    return place_file(jdbc_url, posixpath.join(shell.world.tree.root, shell.cwd))


def _answer(shell: Shell, place: Place, command: str, sql: str, database: Database | None) -> str:
    statements = split_statements(sql)
    text = statements[0] if len(statements) == 1 else ""
    return shell.notes.mark(Unknown(place, "", command, "query" if text else "command", text, database))


# -- psql, sqlite3, sqlcmd ---------------------------------------------------------------------------------------------


def _psql(shell: Shell, line: int, fields: list[Field]) -> str:
    options, operands, scripts = _split_psql([item.text for item in fields[1:]])
    where = {
        "host": options.get("h") or shell.variables.get("PGHOST") or "localhost",
        "port": options.get("p") or shell.variables.get("PGPORT") or "5432",
        "user": options.get("U") or shell.variables.get("PGUSER") or "",
        "dbname": options.get("d") or (operands[0] if operands else "") or shell.variables.get("PGDATABASE") or "",
    }
    if "U" not in options and len(operands) > 1:
        where["user"] = operands[1]
    place = shell.place(line)
    database = _find_postgres(shell, place, {name: shell.notes.assume(text) for name, text in where.items()})
    variables = dict(item.split("=", 1) for kind, item in scripts if kind == "v" and "=" in item)
    texts = [
        _put_in(text if kind == "c" else _read_psql(shell, line, text, variables), variables)
        for kind, text in scripts
        if kind != "v"
    ]
    if not texts:
        texts = [_put_in(_read_backslashes(shell, line, shell.stdin or "", variables), variables)]
    printed = _take_sql(shell, place, "psql", texts, database)
    if "o" in options:
        shell.write(options["o"], printed, line)
        return ""
    return printed


def _read_psql(shell: Shell, line: int, name: str, variables: dict[str, str]) -> str:
    text = (shell.stdin or "") if name == "-" else _read_script(shell, line, name)
    return _read_backslashes(shell, line, text, variables)


def _read_backslashes(shell: Shell, line: int, text: str, variables: dict[str, str], depth: int = 0) -> str:
    """SQL with `\\i FILE` put in and `\\set` taken in; another command of psql stays, and is told."""
    lines = []
    for item in text.splitlines():
        found = re.match(r"\s*\\(ir?|include|set)\s+(\S+)\s*(.*?)\s*;?\s*\Z", item)
        if found and found[1] == "set":
            variables.setdefault(found[2], found[3].strip("'"))
        elif found and depth < DEEPEST:
            name = found[2].strip("'\"")
            lines.append(_read_backslashes(shell, line, _read_script(shell, line, name), variables, depth + 1))
        elif not _PSQL_HARMLESS.match(item.strip()):
            lines.append(item)
    return "\n".join(lines)


def _put_in(text: str, variables: dict[str, str]) -> str:
    """`:name`, `:'name'` and `:"name"` with their values."""
    for name, value in variables.items():
        quoted = value.replace("'", "''")
        for form, filled in ((f":'{name}'", f"'{quoted}'"), (f':"{name}"', f'"{value}"')):
            text = text.replace(form, filled)
        text = value.join(re.split(rf"(?<![:\w]):{re.escape(name)}\b", text))
    return text


def _split_psql(words: list[str]) -> tuple[dict[str, str], list[str], list[tuple[str, str]]]:
    """Options by letter, operands, and what is run or set, in its order: (`c`, `f` or `v`, text)."""
    options: dict[str, str] = {}
    operands: list[str] = []
    scripts: list[tuple[str, str]] = []
    items = iter(words)
    for word in items:
        letter, value = "", ""
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            letter = _PSQL_LONG.get(name, "")
            value = value if equals or not letter else next(items, "")
        elif word.startswith("-") and len(word) > 1:
            at = next((i for i, char in enumerate(word[1:], 1) if char in _PSQL_VALUED), 0)
            letter = word[at] if at else ""
            value = (word[at + 1 :] or next(items, "")) if at else ""
        else:
            operands.append(word)
        if letter in ("c", "f", "v"):
            scripts.append((letter, value))
        elif letter:
            options[letter] = value
    return options, operands, scripts


def _find_postgres(shell: Shell, place: Place, where: dict[str, str]) -> Database | None:
    text = where["dbname"]
    password = shell.notes.assume(shell.variables.get("PGPASSWORD", ""))
    variable = "PGPASSWORD" if password else ""
    if re.match(r"postgres(?:ql)?://", text):
        parts = urlsplit(text)
        where = {
            "host": parts.hostname or "localhost",
            "port": str(parts.port or 5432),
            "user": unquote(parts.username or ""),
            "dbname": unquote(parts.path.lstrip("/")),
        }
        password, variable = unquote(parts.password or "") or password, ""
    elif "=" in text:
        pairs = dict(re.findall(r"(\w+)\s*=\s*'?([^'\s]*)'?", text))
        where = {**where, **pairs}
        password, variable = pairs.get("password", password), "" if "password" in pairs else variable
    if not where["dbname"] or MARKER.search(where["host"] + where["dbname"]):
        return None
    secret = Secret(place, password, variable) if password else None
    if secret is not None:
        shell.notes.secrets.append(secret)
    url = f"jdbc:postgresql://{where['host']}:{where['port']}/{quote(where['dbname'])}"
    return Database(url, where["user"] or None, secret)


def _read_script(shell: Shell, line: int, name: str) -> str:
    text = shell.find_query(name, line)
    if text is None:
        shell.notes.add(shell.place(line), f"The SQL file {name} is not in the folder and was not read.")
        return ""
    return text


def _sqlite3(shell: Shell, line: int, fields: list[Field]) -> str:
    given = [item.text for item in fields[1:]]
    valued = {at + 1 for at, word in enumerate(given) if word.replace("--", "-") in _SQLITE_VALUED}
    words = [word for at, word in enumerate(given) if not word.startswith("-") and at not in valued]
    place = shell.place(line)
    name = shell.notes.assume(words[0]) if words else ""
    if not name or MARKER.search(name):
        shell.notes.add(place, "A call of sqlite3 was left out: its file is not known.")
        return shell.mark(line, "sqlite3")
    database = Database(_place_file(shell, f"jdbc:sqlite:{name}"))
    texts = [_read_dot(shell, line, text) for text in words[1:]]
    return _take_sql(shell, place, "sqlite3", texts or [_read_dot(shell, line, shell.stdin or "")], database)


def _read_dot(shell: Shell, line: int, text: str) -> str:
    """SQL with `.read FILE` put in and other dot commands left out."""
    lines = []
    for item in text.splitlines():
        if item.startswith(".read "):
            lines.append(_read_script(shell, line, item[6:].strip().strip("'\"")))
        elif not item.startswith("."):
            lines.append(item)
    return "\n".join(lines)


def _sqlcmd(shell: Shell, line: int, fields: list[Field]) -> str:
    words = [item.text for item in fields[1:]]
    pairs = dict(pairwise(words))
    texts = [pairs[flag] for flag in ("-Q", "-q") if flag in pairs]
    if "-i" in pairs:
        texts.append(_read_script(shell, line, pairs["-i"]))
    place = shell.place(line)
    secret = Secret(place, shell.notes.assume(pairs["-P"]), "") if "-P" in pairs else None
    if secret is not None:
        shell.notes.secrets.append(secret)
    server, name = (shell.notes.assume(pairs.get(flag, "")) for flag in ("-S", "-d"))
    url = f"jdbc:sqlserver://{server.replace(',', ':')};databaseName={name}"
    database = Database(url, pairs.get("-U"), secret) if server and not MARKER.search(server + name) else None
    printed = _take_sql(shell, place, "sqlcmd", texts or [shell.stdin or ""], database)
    if "-o" in pairs:
        shell.write(pairs["-o"], printed, line)
        return ""
    return printed


def _db2(shell: Shell, line: int, fields: list[Field]) -> str:
    """`db2 -x "select ..."`: its database is a name that only its own catalogue knows."""
    words = [item.text for item in fields[1:]]
    texts = [_read_script(shell, line, words[i + 1]) for i, word in enumerate(words[:-1]) if re.match(r"-\w*f$", word)]
    text = " ".join(word for word in words if not word.startswith(("-", "+")))
    if not texts and re.match(r"\s*(?:connect|terminate|disconnect|quit)\b", text, re.IGNORECASE):
        return ""
    return _take_sql(shell, shell.place(line), "db2", texts or [text], None)


def _take_sql(shell: Shell, place: Place, command: str, texts: list[str], database: Database | None) -> str:
    """Statements are an event, and what a query prints stands for its answer; within `$(...)` it is nothing else."""
    texts = [re.sub(r"\A(?:\s*set\s+nocount\s+on\s*;?\s+)", "", text, flags=re.IGNORECASE) for text in texts]
    sql = ";\n".join(text.strip().rstrip(";") for text in texts if text.strip())
    if not sql:
        return ""
    is_query = re.match(r"(?:\s|--[^\n]*\n)*(?:select|with|values)\b", sql, re.IGNORECASE)
    if not (shell.captures and is_query):
        shell.events.append(Statements(place, database, expand_dollars(shell, sql)))
    return _answer(shell, place, command, sql if is_query else "", database) + "\n"
