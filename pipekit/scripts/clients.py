# Programs that talk to databases: jrunner, psql, sqlite3, sqlcmd, as scripts call them. Knows their flags; runs none.
"""`find_client`: what a call of one of them says goes into the shell's events, or stands for its answer."""

import posixpath
import re
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote, unquote, urlsplit

from pipekit.drivers.urls import split_login
from pipekit.scripts.found import MARKER, Database, Load, Place, Secret, Statements, Unknown
from pipekit.scripts.shell import Field, Shell

Client = Callable[[Shell, int, list[Field], str | None, bool], str]

_VALUED = ("-scu", "-scn", "-scp", "-dcu", "-dcn", "-dcp", "-sq", "-dt", "-f")
_PSQL_VALUED = "hpUdcfvoFRLT"
_PSQL_LONG = {
    "host": "h", "port": "p", "username": "U", "dbname": "d", "command": "c", "file": "f", "set": "v", "variable": "v",
    "output": "o", "field-separator": "F",
}  # fmt: skip


def find_client(fields: list[Field]) -> Client | None:
    """The reader of a call, None for a program that talks to no database we know."""
    name = posixpath.basename(fields[0].text)
    words = [item.text for item in fields[1:3]]
    if re.fullmatch(r"jrunner(?:\.sh|\.jar)?", name) or (name == "pipekit" and "jrunner" in words):
        return _jrunner
    if name == "java" and any("jrunner" in item.text.lower() for item in fields[1:]):
        return _jrunner
    return {"psql": _psql, "sqlite3": _sqlite3, "sqlcmd": _sqlcmd}.get(name)


# -- jrunner -----------------------------------------------------------------------------------------------------------


def _jrunner(shell: Shell, line: int, fields: list[Field], stdin: str | None, capture: bool) -> str:
    place = shell.place(line)
    given: dict[str, Field] = {}
    flags: set[str] = set()
    items = iter(fields[1:])
    for item in items:
        if item.text in _VALUED:
            given[item.text] = next(items, Field(""))
        else:
            flags.add(item.text)
    source = _find_jdbc(shell, place, given, "s")
    name = given.get("-sq", Field("")).text
    query = _read_query(shell, line, name)
    if source is None or query is None:
        why = "its source URL is not known" if source is None else f"its query's file {name or '(none)'} is not known"
        shell.notes.add(place, f"A call of jrunner was left out: {why}.")
        return ""
    dest = _find_jdbc(shell, place, given, "d")
    if "-dcu" not in given and "-dt" not in given:
        return _answer(shell, place, "jrunner", query, source)
    if dest is None:
        shell.notes.add(place, "A load by jrunner was left out: its dest URL is not known.")
        return ""
    table = given.get("-dt", Field("")).text
    load = Load(place, source, dest, query, shell.resolve(name), table, "-c" in flags, "-t" in flags)
    shell.events.append(load)
    return ""


def _read_query(shell: Shell, line: int, name: str) -> str | None:
    """The query's text; `$NAME` in it is taken for the script's variable even where the script puts nothing in."""
    text = shell.find_file(name) if name else None
    return None if text is None else shell.expand_dollars(text, line)


def _find_jdbc(shell: Shell, place: Place, given: dict[str, Field], side: str) -> Database | None:
    url = given.get(f"-{side}cu")
    if url is None or not url.text.startswith("jdbc:") or MARKER.search(url.text):
        return None
    login = split_login(url.text)
    secret = _find_secret(place, given.get(f"-{side}cp"))
    if secret is None and login.password:
        secret = Secret(place, login.password, "")
    if secret is not None:
        shell.notes.secrets.append(secret)
    user = given[f"-{side}cn"].text if f"-{side}cn" in given else login.username
    return Database(_place_file(shell, login.jdbc_url), user or None, secret, url.variable)


def _find_secret(place: Place, item: Field | None) -> Secret | None:
    if item is None or (not item.text and not item.variable):
        return None
    return Secret(place, item.text, item.variable)


def _place_file(shell: Shell, jdbc_url: str) -> str:
    """An SQLite file's URL, its name as it is from anywhere."""
    head, name = jdbc_url[:12], jdbc_url[12:]
    if head != "jdbc:sqlite:" or name.startswith("/") or not name:
        return jdbc_url
    return head + posixpath.normpath(posixpath.join(shell.root, shell.cwd, name))


def _answer(shell: Shell, place: Place, command: str, sql: str, database: Database | None) -> str:
    return shell.notes.mark(Unknown(place, "", command, sql.strip().rstrip(";").strip(), database))


# -- psql, sqlite3, sqlcmd ---------------------------------------------------------------------------------------------


def _psql(shell: Shell, line: int, fields: list[Field], stdin: str | None, capture: bool) -> str:
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
    database = _find_postgres(shell, place, where)
    texts = [text if kind == "c" else _read_script(shell, line, text) for kind, text in scripts]
    return _take_sql(shell, place, "psql", texts or [stdin or ""], database, capture)


def _split_psql(words: list[str]) -> tuple[dict[str, str], list[str], list[tuple[str, str]]]:
    """Options by letter, operands, and the scripts in their order: (`c` or `f`, text)."""
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
        if letter in ("c", "f"):
            scripts.append((letter, value))
        elif letter:
            options[letter] = value
    return options, operands, scripts


def _find_postgres(shell: Shell, place: Place, where: dict[str, str]) -> Database | None:
    text = where["dbname"]
    password = shell.variables.get("PGPASSWORD", "")
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
    text = shell.find_file(name)
    if text is None:
        shell.notes.add(shell.place(line), f"The SQL file {name} is not in the folder and was not read.")
        return ""
    return text


def _sqlite3(shell: Shell, line: int, fields: list[Field], stdin: str | None, capture: bool) -> str:
    words = [item.text for item in fields[1:] if not item.text.startswith("-")]
    place = shell.place(line)
    if not words or MARKER.search(words[0]):
        shell.notes.add(place, "A call of sqlite3 was left out: its file is not known.")
        return ""
    database = Database(_place_file(shell, f"jdbc:sqlite:{words[0]}"))
    texts = [_read_dot(shell, line, text) for text in words[1:]]
    return _take_sql(shell, place, "sqlite3", texts or [_read_dot(shell, line, stdin or "")], database, capture)


def _read_dot(shell: Shell, line: int, text: str) -> str:
    """SQL with `.read FILE` put in and other dot commands left out."""
    lines = []
    for item in text.splitlines():
        if item.startswith(".read "):
            lines.append(_read_script(shell, line, item[6:].strip().strip("'\"")))
        elif not item.startswith("."):
            lines.append(item)
    return "\n".join(lines)


def _sqlcmd(shell: Shell, line: int, fields: list[Field], stdin: str | None, capture: bool) -> str:
    words = [item.text for item in fields[1:]]
    pairs = dict(pairwise(words))
    texts = [pairs[flag] for flag in ("-Q", "-q") if flag in pairs]
    if "-i" in pairs:
        texts.append(_read_script(shell, line, pairs["-i"]))
    place = shell.place(line)
    secret = Secret(place, pairs["-P"], "") if "-P" in pairs else None
    if secret is not None:
        shell.notes.secrets.append(secret)
    server, name = pairs.get("-S", ""), pairs.get("-d", "")
    url = f"jdbc:sqlserver://{server.replace(',', ':')};databaseName={name}"
    database = Database(url, pairs.get("-U"), secret) if server and not MARKER.search(server + name) else None
    return _take_sql(shell, place, "sqlcmd", texts or [stdin or ""], database, capture)


def _take_sql(
    shell: Shell, place: Place, command: str, texts: list[str], database: Database | None, capture: bool
) -> str:
    """Statements are an event, and what a query prints stands for its answer; within `$(...)` it is nothing else."""
    sql = ";\n".join(text.strip().rstrip(";") for text in texts if text.strip())
    if not sql:
        return ""
    is_query = re.match(r"\s*(?:select|with|values)\b", sql, re.IGNORECASE)
    if not (capture and is_query):
        shell.events.append(Statements(place, database, shell.expand_dollars(sql, place.line)))
    return _answer(shell, place, command, sql, database) if is_query else ""
