# Shell scripts read without a shell: what is expanded, what is followed, what stands for a value that is not known.
"""`pipekit/scripts/lexer.py`, `syntax.py`, `interpret.py`, `commands.py`, `clients.py` and `walk.py`."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipekit.scripts.found import MARKER, Event, Load, Notes, ScriptCall, Statements, Unit
from pipekit.scripts.lexer import split_words
from pipekit.scripts.syntax import list_words, parse_script
from pipekit.scripts.tree import Tree
from pipekit.scripts.walk import walk_scripts

LOAD = "jrunner -scu jdbc:sqlite:/s.db -sq {query} -dcu jdbc:sqlite:/d.db -dt t\n"


def walk(files: dict[str, str]) -> tuple[dict[str, Unit], Notes]:
    """Each script of a folder by its path, as it is started first."""
    notes = Notes()
    walked = walk_scripts(Tree("/scripts", files), notes)
    units: dict[str, Unit] = {}
    for unit in walked.units:
        for one in (unit, *unit.calls):
            units.setdefault(one.path, one)
    return units, notes


def list_events(unit: Unit) -> Iterator[Event]:
    """What a script does, with what those do that it starts."""
    for event in unit.events:
        yield event
        if isinstance(event, ScriptCall):
            yield from list_events(event.unit)


def find_load(unit: Unit) -> Load:
    [load] = [event for event in list_events(unit) if isinstance(event, Load)]
    return load


def read_query(script: str, **files: str) -> str:
    """The query of the one load of a script, values that are not known as `?`."""
    units, _ = walk({"x/run.sh": script, **{f"x/{name}.sql": text for name, text in files.items()}})
    return MARKER.sub("?", find_load(units["x/run.sh"]).query)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a 'b c' \"d e\" f\\ g", ["a", "b c", "d e", "f g"]),
        ("a \\\n b # c", ["a", "b"]),
        ("a'b'\"c\"", ["abc"]),
        ('a "x\\"y" \'#\'', ["a", 'x"y', "#"]),
        ("a ''", ["a", ""]),
    ],
)
def test_words_are_split_as_a_shell_does(text: str, words: list[str]) -> None:
    assert [word.literal for word in split_words(text)] == words


def test_lines_are_counted_across_continuations_and_documents() -> None:
    words = list_words(parse_script("a \\\n b\ncat <<X\none\ntwo\nX\nlast\n").body)
    assert [(word.literal, word.line) for word in words] == [
        ("a", 1), ("b", 2), ("cat", 3), ("one\ntwo\n", 4), ("last", 7),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "script",
    [
        "echo 'select 1' > q.sql\n",
        "cat > q.sql <<'X'\nselect 1\nX\n",
        "N=1; cat <<X > q.sql\nselect $N\nX\n",
        "N=1\nprintf 'select %s\\n' $N > q.sql\n",
        'N=1\nsed "s/@N@/$N/g" one.sql > q.sql\n',
        "export N=1\nenvsubst < two.sql > q.sql\n",
        'N=1\ncp one.sql q.sql; sed -i "s|@N@|${N}|" q.sql\n',
        'Q=$(cat one.sql)\necho "${Q//@N@/1}" > q.sql\n',
        'w() { echo "select $1" > q.sql; }\nw 1\n',
        'for n in 1; do echo "select $n" > q.sql; done\n',
    ],
)
def test_a_file_that_the_script_writes_is_known(script: str) -> None:
    query = read_query(script + LOAD.format(query="q.sql"), one="select @N@", two="select ${N}")
    assert query.strip() == "select 1"


@pytest.mark.parametrize(
    "line",
    ["SINCE=$(psql -At -d dw -c 'select max(x) from t')", "SINCE=`psql dw -At -f since.sql | tail -1`",
     "psql dw -At -c 'select max(x) from t' > last.txt\nSINCE=$(cat last.txt)"],
)  # fmt: skip
def test_the_answer_of_a_query_is_a_value_with_its_sql(line: str) -> None:
    script = f'{line}\necho "select * from a where x > $SINCE" > q.sql\n' + LOAD.format(query="q.sql")
    scripts, notes = walk({"run.sh": script, "since.sql": "select max(x) from t;\n"})
    [unknown] = notes.find_unknowns(find_load(scripts["run.sh"]).query)
    assert (unknown.name, unknown.sql) == ("SINCE", "select max(x) from t")
    assert unknown.database is not None
    assert unknown.database.jdbc_url == "jdbc:postgresql://localhost:5432/dw"


@pytest.mark.parametrize(
    "line", ['if [ -z "$S" ]; then\n  S=1900\nfi', '[ -z "$S" ] && S=1900', "S=${S:-1900}", ': "${S:=1900}"']
)
def test_what_is_used_instead_of_an_empty_answer_is_its_default(line: str) -> None:
    script = f"S=$(psql -d dw -c 'select 1')\n{line}\necho \"select $S\" > q.sql\n" + LOAD.format(query="q.sql")
    scripts, notes = walk({"run.sh": script})
    assert scripts["run.sh"].alternatives == ()
    [unknown] = notes.find_unknowns(find_load(scripts["run.sh"]).query)
    assert unknown.default == "1900"


def test_a_sourced_file_gives_its_variables_and_one_outside_is_not_read() -> None:
    script = '. ../env.sh\nsource /etc/passwords\necho "select $N" > q.sql\n' + LOAD.format(query="q.sql")
    scripts, notes = walk({"env.sh": "N=five\n", "x/run.sh": script})
    assert find_load(scripts["x/run.sh"]).query == "select five\n"
    assert [str(place) for place, _ in notes.lines] == ["x/run.sh:2"]


def test_a_script_that_is_started_knows_the_variables_that_are_exported_to_it() -> None:
    child = 'echo "select $N$M" > q.sql\n' + LOAD.format(query="q.sql")
    scripts, _ = walk({"all.sh": "M=8\nexport N=7\nfor d in */; do (cd $d && ./run.sh); done\n", "a/run.sh": child})
    assert [unit.path for unit in scripts["all.sh"].calls] == ["a/run.sh"]
    assert MARKER.sub("?", find_load(scripts["a/run.sh"]).query) == "select 7?\n"


def test_flags_in_an_unquoted_variable_are_flags() -> None:
    script = 'F="-scu jdbc:sqlite:/s.db -scn me"\njrunner $F -sq q.sql -dcu jdbc:sqlite:/d.db -dt t -c -t\n'
    scripts, _ = walk({"run.sh": script, "q.sql": "select 1"})
    load = find_load(scripts["run.sh"])
    assert (load.source.username, load.clear, load.trim) == ("me", True, True)


@pytest.mark.parametrize(
    "call",
    ["psql -h h -p 1 -U u -d db -f i.sql", "psql -hh -p1 -Uu db < i.sql", "cat i.sql | psql postgresql://u:pw@h:1/db",
     "PGHOST=h PGPORT=1 PGUSER=u psql db -c 'truncate t'", "psql 'host=h port=1 user=u dbname=db' <<X\ntruncate t\nX"],
)  # fmt: skip
def test_psql_is_understood_in_all_its_forms(call: str) -> None:
    scripts, _ = walk({"run.sh": f"{call}\n", "i.sql": "truncate t"})
    [event] = scripts["run.sh"].events
    assert isinstance(event, Statements)
    assert event.sql == "truncate t"
    assert event.database is not None
    assert (event.database.jdbc_url, event.database.username) == ("jdbc:postgresql://h:1/db", "u")


def test_a_password_variable_is_a_secret_and_a_file_name_is_none() -> None:
    _, notes = walk({"run.sh": "DB_PASSWORD=plum\nDB_PASSWORD_FILE=/etc/x\nexport api_token='t 1'\n"})
    assert [(secret.variable, secret.value) for secret in notes.secrets] == [
        ("DB_PASSWORD", "plum"), ("api_token", "t 1"),
    ]  # fmt: skip
    assert "plum" not in repr(notes.secrets)


def test_a_command_that_is_not_understood_is_noted_with_its_line() -> None:
    _, notes = walk({"run.sh": "#!/bin/sh\nkinit -kt etl.keytab etl\n"})
    assert [(str(place), text) for place, text in notes.lines] == [
        ("run.sh:2", "The command `kinit` was not understood.")
    ]


def test_scripts_that_start_each_other_or_themselves_end() -> None:
    scripts, _ = walk({"a.sh": "./b.sh\nf() { f; }\nf\n. ./a.sh\n", "b.sh": "./a.sh\n"})
    assert sorted(scripts) == ["a.sh", "b.sh"]
    assert scripts["a.sh"].alternatives == ()


@given(st.text(alphabet="ab $'\"`\\{}()<>|&;\n#=/*[]-0", max_size=80))
def test_no_text_stops_the_reader(text: str) -> None:
    walk({"run.sh": text})
