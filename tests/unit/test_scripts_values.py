# Values that scripts keep in files, get as arguments or find in the environment: never taken as they are now.
"""`pipekit/scripts/resolving.py`, `defaults.py`, `conditions.py` and `lists.py`, by what an import makes of scripts."""

import re
from pathlib import Path

import pytest
import yaml

from pipekit.scripts.arithmetic import calculate
from pipekit.scripts.importing import Imported, import_scripts
from pipekit.scripts.sed import run_sed

JRUNNER = "jrunner -scu jdbc:sqlite:/s.db -sq {query} -dcu jdbc:postgresql://h/dw -dcn etl -dt public.t"
ASK = 'psql -h h -U etl -d dw -Atc "select max(id) from public.t"'
# `L` ends in the query.
LOAD = f'echo "select id, v from t where id > $L" > /tmp/q.sql\n{JRUNNER.format(query="/tmp/q.sql")}\n'
SOURCE_ASK = "sqlite3 /s.db 'select max(id) from t'"
AT_Q = JRUNNER.format(query="/tmp/q.sql")
QUERY = {"q.sql": "select id from t where id > 4"}
FULL = {"full.sql": "select id, v from t", "new.sql": "select id, v from t where is_new"}
STATE = {"last.txt": "40000\n"}


def load(folder: Path, script: str, files: dict[str, str] | None = None) -> Imported:
    """A folder with one script, imported."""
    folder = folder / "job"
    folder.mkdir()
    for name, text in {"run.sh": f"#!/bin/bash\n{script}\n", **(files or {})}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return import_scripts(folder)


def read_modules(imported: Imported) -> dict[str, dict[str, object]]:
    return yaml.safe_load(imported.text).get("modules") or {}


@pytest.mark.parametrize(
    ("script", "files"),
    [
        (f"L=$(cat last.txt)\n{LOAD}{ASK} > last.txt", STATE),
        (f"L=`cat last.txt`\n{LOAD}N=$({ASK})\necho $N > last.txt", STATE),
        (f"L=$(<last.txt)\n{LOAD}{ASK} | tee last.txt", STATE),
        (f"read -r L < last.txt\n{LOAD}{ASK} -o last.txt", STATE),
        (f"L=$(head -n 1 last.txt)\n{LOAD}{ASK} > last.tmp && mv last.tmp last.txt", STATE),
        (f"L=$(awk '{{print $1}}' last.txt | tr -d ' ')\n{LOAD}{ASK} > last.txt", STATE),
        (f"L=$(cat /var/lib/etl/last)\n{LOAD}{ASK} > /var/lib/etl/last", {}),
        (f'. ./state\n{LOAD}echo "L=$({ASK})" > state', {"state": "L=40000\n"}),
        (f'. ./state\n{LOAD}sed -i "s/^L=.*/L=$({ASK})/" state', {"state": "A=x\nL=40000\n"}),
        (f"L=$(grep '^L=' state | cut -d= -f2)\n{LOAD}echo L=$({ASK}) > state", {"state": "L=4\n"}),
        (f"export $(cat state | xargs)\n{LOAD}echo L=$({ASK}) > state", {"state": "L=4\n"}),
        (f'L=40000\n{LOAD}sed -i "s/^L=.*/L=$({ASK})/" $0', {}),
        (f"L=${{1:-$(cat last.txt)}}\n{LOAD}{ASK} > last.txt", STATE),
        (f'cat head.sql where.sql > /tmp/q.sql\n{AT_Q}\necho "where id > $({ASK})" > where.sql',
         {"head.sql": "select id, v from t ", "where.sql": "where id > 40000\n"}),
        (f"{JRUNNER.format(query='made.sql')}",
         {"made.sql": "select id from t where id > 40000",
          "make.sh": f'echo "select id from t where id > $({ASK})" > made.sql\n'}),
        (f"keep() {{ {ASK} > $1; }}\nL=$(cat last.txt)\n{LOAD}keep last.txt", STATE),
        (f"L=$(cat last.txt)\n{LOAD}./keep.sh", {**STATE, "keep.sh": f"{ASK} > last.txt\n"}),
    ],
)  # fmt: skip
def test_a_value_kept_in_a_file_is_asked_anew_where_the_script_says_how(
    tmp_path: Path, script: str, files: dict[str, str]
) -> None:
    imported = load(tmp_path, script, files)
    assert imported.disabled == 0, imported.report
    [module] = read_modules(imported).values()
    [mark] = module["watermarks"].values()  # type: ignore[attr-defined]
    assert mark["sql"] == "select max(id) from public.t"
    assert "40000" not in imported.text


@pytest.mark.parametrize(
    "script",
    [
        "if [ -f last.txt ]; then L=$(cat last.txt); else L=7; fi",
        "if [ ! -s last.txt ]; then\n  L=7\nelse\n  L=$(cat last.txt)\nfi",
        "[ -f last.txt ] || echo 7 > last.txt\nL=$(cat last.txt)",
        "L=7\n[[ -r last.txt ]] && L=$(cat last.txt)",
        "test -e last.txt && L=$(cat last.txt) || L=7",
        "L=$(cat last.txt 2>/dev/null || echo 7)",
        "L=$(cat last.txt) || L=7",
        "L=$(cat last.txt); L=${L:-7}",
        'L=$(cat last.txt); if [ "x$L" = x ]; then L=7; fi',
        'L=$(cat last.txt)\ncase "$L" in "") L=7;; esac',
        "get() { if [ -f last.txt ]; then cat last.txt; else echo 7; fi; }\nL=$(get)",
    ],
)
def test_what_a_script_takes_where_there_is_no_file_yet_is_the_default(tmp_path: Path, script: str) -> None:
    imported = load(tmp_path, f"{script}\n{LOAD}{ASK} > last.txt")
    assert imported.disabled == 0, imported.report
    [module] = read_modules(imported).values()
    assert [mark["default"] for mark in module["watermarks"].values()] == ["7"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("script", "files", "told"),
    [
        ("L=$(cat last.txt)\n" + LOAD, STATE, "holds (run.sh:2), in this folder `40000`. Which SQL gives it?"),
        ("L=$(sed 's/^id=//' last.txt)\n" + LOAD, {"last.txt": "id=4"}, "changed by `sed s/^id=// last.txt`"),
        ("read A L < last.txt\n" + LOAD, {"last.txt": "3 4"}, "changed by `word 2 of the line`"),
        (f"L=$(cat last.txt)\nL=$((L - 10))\n{LOAD}{ASK} > last.txt", STATE, "is what `$((L - 10))` gives"),
        (f"L=$(cat last.txt)\nL=${{L%.*}}\n{LOAD}{ASK} > last.txt", STATE, "changed by `${L%.*}`"),
        (". ./state\n" + LOAD, {"state": "L=40000\n"}, "in this folder `40000`, which no script writes"),
        ("L=$(jq -r .last state.json)\n" + LOAD, {"state.json": "{}"}, "is what `jq -r .last state.json` gives"),
        ("L=${1:-100}\n" + LOAD, {}, "is what `$1` gives (run.sh:2), and `100` when that is nothing"),
        ("L=${1:-100}\n" + LOAD, {"crontab": "0 4 * * * ./run.sh\n"}, "is what `$1` gives"),
        ("L=$2\n" + LOAD, {}, "is what `$2` gives"),
        ("L=${FROM_ID:-100}\n" + LOAD, {}, "is what `$FROM_ID` gives (run.sh:2), and `100` when that is nothing"),
        (LOAD.replace("$L", "$FROM_ID"), {}, "is what `$FROM_ID` gives"),
        ("read -p 'From? ' L\n" + LOAD, {}, "is what `read L` gives"),
        ("L=$(date -d yesterday +%F)\n" + LOAD, {}, "is what `date -d yesterday +%F` gives"),
        ("L=$(wc -l < last.txt)\n" + LOAD, STATE, "is what `wc -l` gives"),
        ("printf -v L %s $(cat last.txt)\n" + LOAD, STATE, "is what `last.txt` holds"),
        ("while IFS== read k v; do [ $k = L ] && L=$v; done < state\n" + LOAD, {"state": "L=4\n"},
         "is what `state` holds"),
        ("jrunner -scu jdbc:sqlite:/s.db -sq q.sql -dcu jdbc:sqlite:/d.db -dt t$(cat n)", {**QUERY, "n": "40"},
         "the dest table is what `cat n` gives"),
        ("L=${#FROM}\n" + LOAD, {}, "is what `${#FROM}` gives"),
        ("L=$(env | grep ^FROM= | cut -d= -f2)\n" + LOAD, {}, "is what `env` gives"),
        ("envsubst < q.tpl > q.sql\n" + JRUNNER.format(query="q.sql"), {"q.tpl": "select $L"}, "is what `$L` gives"),
        ("L=$(hostname)\n" + LOAD, {}, "is what `hostname` gives"),
        (f"L=$({ASK} | awk '{{print $1}}')\n{LOAD}", {}, "changes the watermark l by `awk '{print $1}'`"),
        (f"L=$({ASK} | cut -d- -f1)\n{LOAD}", {}, "changes the watermark l by `cut -d- -f1`"),
        (f"L=$({ASK} | cut -c1-10)\n{LOAD}", {}, "changes the watermark l by `cut -c1-10`"),
        (f"L=$(cat x)\nL=$({ASK.replace('public.t', 'public.t where id > $L')})\n{LOAD}", {},
         "the answer of a query that itself needs a value"),
        ("L=$(db2 -x 'select max(id) from t')\n" + LOAD, {}, "asked by `db2`; taken to be on the dest"),
        (f"L=$(cat last.txt)\n{LOAD}sqlite3 /s.db 'select max(id) from t' > last.txt", STATE, "another database"),
        (f"L=$(cat last.txt)\n{LOAD}date +%F > last.txt", STATE, "but that is what `date +%F` gives"),
        (f"L=$(cat last.txt)\n{LOAD}{ASK.replace('max(id)', 'now()')} > last.txt", STATE, "time of the last run"),
        (f"L=$(cat last.txt)\n{LOAD}{ASK.replace('public.t', 'seen')} > last.txt", STATE, "does not ask public.t"),
        (f"L=$(cat last.txt)\n{ASK} > last.txt\n{LOAD}", STATE, "it is asked before the load"),
        (f"L=$(cat last.txt)\n{LOAD}echo 1$({ASK}) > last.txt", STATE, "it is put together there"),
        (f'cat head.sql where.sql > /tmp/q.sql\n{AT_Q}\necho "where id > $({SOURCE_ASK})" > where.sql',
         {"head.sql": "select id, v from t ", "where.sql": "where id > 40000\n"}, "another database"),
        ("python3 make.py\n" + JRUNNER.format(query="q.sql"), {**QUERY, "make.py": "'q.sql'"},
         "make.py names its query's file q.sql: does it write it?"),
        ("make-query q.sql\n" + JRUNNER.format(query="q.sql"), QUERY, "does it write it?"),
        ("./gen > /tmp/q.sql\n" + JRUNNER.format(query="/tmp/q.sql"), {}, "is what `gen` gives"),
        ("python3 -c \"open('q.sql', 'w')\"\n" + JRUNNER.format(query="q.sql"), QUERY, "does it write it?"),
        ("python3 - <<E\nopen('q.sql', 'w')\nE\n" + JRUNNER.format(query="q.sql"), QUERY, "does it write it?"),
        ("printf -v L '%(%Y%m%d)T' -1\n" + LOAD, {}, "is what `printf %(%Y%m%d)T -1` gives"),
        ("printf -v L '\\u0034'\n" + LOAD, {}, "is what `printf \\u0034` gives"),
        ("A=4\ndeclare -n L=A\n" + LOAD, {}, "is what `declare -n L=A` gives"),
        ("shift\nL=${1:-7}\n" + LOAD, {}, "is what `$2` gives (run.sh:2), and `7` when that is nothing"),
        ("L=$(ls -t day* | head -1)\n" + LOAD, {"day1": "", "day2": ""}, "is what `ls -t day1 day2` gives"),
        (JRUNNER.format(query="full.sql").replace("public.t", "${1:-public.t}"), FULL, "the dest table is what `$1`"),
        (JRUNNER.format(query="full.sql") + " $CLEAR", FULL, "a flag of jrunner is what `$CLEAR` gives"),
        (f"while ! grep -q x y; do\n{JRUNNER.format(query='full.sql')}\ndone", FULL, "how often it goes round"),
    ],
)  # fmt: skip
def test_a_value_that_nobody_says_how_to_find_disables_its_module_with_a_question(
    tmp_path: Path, script: str, files: dict[str, str], told: str
) -> None:
    imported = load(tmp_path, script, files)
    assert (imported.modules, imported.disabled) == (1, 1), imported.report
    questions = [line for line in imported.report.splitlines() if line.startswith("    question: ")]
    assert any(told in line for line in questions), imported.report
    [module] = read_modules(imported).values()
    assert told in str(module["notes"])
    assert "40000" not in str(module["query"])


FULL_OR_NEW = JRUNNER.format(query="$SQ")


@pytest.mark.parametrize(
    "script",
    [
        f'if [ "$1" = full ]; then SQ=full.sql; else SQ=new.sql; fi\n{FULL_OR_NEW}',
        f'SQ=new.sql\n[[ "$1" == full ]] && SQ=full.sql\n{FULL_OR_NEW}',
        f"SQ=full.sql\n[ $(date +%u) -eq 7 ] || SQ=new.sql\n{FULL_OR_NEW}",
        f"case $1 in\n  full) SQ=full.sql ;;\n  *) SQ=new.sql ;;\nesac\n{FULL_OR_NEW}",
        f"pick() {{ if test -n \"$FULL\"; then echo full.sql; else echo new.sql; fi; }}\nSQ=$(pick)\n{FULL_OR_NEW}",
        f"for x in 1; do if (( $1 )); then SQ=full.sql; else SQ=new.sql; fi; done\n{FULL_OR_NEW}",
        f"if [ $1 ] || [ $2 ]; then SQ=full.sql; else SQ=new.sql; fi\n{FULL_OR_NEW}",
        f'if [ "$1" = full ]; then\n{JRUNNER.format(query="full.sql")}\nexit\nfi\n{JRUNNER.format(query="new.sql")}',
        f"SQ=new.sql\nwhile getopts f o; do case $o in f) SQ=full.sql;; esac; done\n{FULL_OR_NEW}",
        f"if grep -q full mode; then SQ=full.sql; else SQ=new.sql; fi\n{FULL_OR_NEW}",
        f"SQ=${{1:-new.sql}}\n[ $1 = x ] && SQ=full.sql\n{FULL_OR_NEW}",
    ],
)  # fmt: skip
def test_one_query_or_another_is_a_module_each_and_both_are_asked_about(tmp_path: Path, script: str) -> None:
    imported = load(tmp_path, script, FULL)
    assert (imported.modules, imported.disabled) == (2, 2), imported.report
    queries = {str(module["query"]).strip() for module in read_modules(imported).values()}
    assert queries == set(FULL.values())


@pytest.mark.parametrize(
    "script",
    [
        "[ -f /tmp/x ] && exit 0\ntouch /tmp/x\n{load}\nif [ $? -ne 0 ]; then mail -s x y; exit 1; fi\nrm /tmp/x",
        "if {load}; then echo done; else mail -s failed me; fi",
        "for try in 1 2 3; do {load} && break; sleep 9; done",
        "until {load}; do sleep 60; done",
        "n=0; while [ $n -lt 3 ]; do {load} && break; n=$((n + 1)); done",
        "MODE=full\nif [ $MODE = new ]; then exit 1; fi\n{load}",
        "set -e; nice -n 5 timeout -k 9 3600 {load} || {{ echo failed; exit 1; }}",
        "flock -n /tmp/lock -c '{load}'",
        "[ -d /data ] || mkdir /data\n{load}\n[ -n \"$DEBUG\" ] && echo done",
    ],
)  # fmt: skip
def test_conditions_that_change_no_load_are_nobodys_question(tmp_path: Path, script: str) -> None:
    imported = load(tmp_path, script.format(load=JRUNNER.format(query="full.sql")), FULL)
    assert (imported.modules, imported.disabled) == (1, 0), imported.report
    assert "not understood" not in imported.report


@pytest.mark.parametrize(
    ("script", "files", "queries"),
    [
        ("T=(a b)\nfor t in \"${T[@]}\"; do\n{load}\ndone", {}, {"a", "b"}),
        ("for t in {{a,b}}; do\n{load}\ndone", {}, {"a", "b"}),
        ("for t in $(cat tables); do\n{load}\ndone", {"tables": "a\nb\n"}, {"a", "b"}),
        ("while IFS='|' read -r t key; do\n{load}\ndone < tables", {"tables": "a|1\nb|2\n"}, {"a", "b"}),
        ("cat tables | while read t; do\n{load}\ndone", {"tables": "# x\na\nb\n"}, {"a", "b"}),
        ("mapfile -t T < tables\nfor t in ${T[*]}; do\n{load}\ndone", {"tables": "a\nb\n"}, {"a", "b"}),
        ("set -- a b\nwhile [ $# -gt 0 ]; do t=$1; shift\n{load}\ndone", {}, {"a", "b"}),
        ("for f in sql/*.txt a; do t=$(basename $f .txt)\n{load}\ndone", {}, {"*", "a"}),
    ],
)  # fmt: skip
def test_loops_over_lists_are_a_module_each(
    tmp_path: Path, script: str, files: dict[str, str], queries: set[str]
) -> None:
    one = f'echo "select * from $t" > /tmp/q.sql; {JRUNNER.format(query="/tmp/q.sql")}'
    imported = load(tmp_path, script.replace("{load}", one).replace("{{", "{").replace("}}", "}"), files)
    found = {re.sub(r"\s*select \* from (.*)\s*", r"\1", str(m["query"])) for m in read_modules(imported).values()}
    assert found == queries, imported.report
    assert ("is taken as it stands: a" in imported.report) == bool(files)


def test_a_number_in_a_list_is_no_constant(tmp_path: Path) -> None:
    imported = load(tmp_path, f"for L in $(cat last.txt); do\n{LOAD}done", STATE)
    assert (imported.modules, imported.disabled) == (1, 1), imported.report


def test_files_that_a_pattern_names_are_taken_as_they_stand_and_told(tmp_path: Path) -> None:
    script = f"cp $(ls day*.sql | tail -1) /tmp/q.sql\n{AT_Q}"
    imported = load(tmp_path, script, {"day1.sql": "select 1 as id", "day2.sql": "select 2 as id"})
    assert "The files that `ls day*.sql` names are taken as they stand: day1.sql, day2.sql." in imported.report


def test_printf_writes_what_a_shell_would_write(tmp_path: Path) -> None:
    script = f'printf "select \\047x\\047 as \\x69d, \\"v\\" from t -- %d%%\\n" 7 > /tmp/q.sql\n{AT_Q}'
    [module] = read_modules(load(tmp_path, script)).values()
    assert str(module["query"]).strip() == "select 'x' as id, \"v\" from t -- 7%"


def test_arguments_are_those_of_whoever_starts_a_script(tmp_path: Path) -> None:
    script = "echo \"select * from $1 where b = '$B'\" > /tmp/q.sql\n" + JRUNNER.format(query="/tmp/q.sql")
    files = {
        "all.sh": "for b in n s; do B=$b ./run.sh orders; done\nexport B=w\nbash run.sh stock\n",
        "etl.crontab": '0 1 * * * "/opt/my etl/job/run.sh" lines\nB=e\n'
        "5 1 * * * root cd /opt/my\\ etl/job; sh run.sh x >/dev/null\n",
    }
    imported = load(tmp_path, script, files)
    queries = [str(module["query"]) for module in read_modules(imported).values()]
    found = [re.findall(r"from (\w+) where b = '(.*)'", query)[0] for query in queries]
    assert sorted(found) == [("lines", "{b}"), ("orders", "n"), ("orders", "s"), ("stock", "w"), ("x", "e")]
    assert imported.disabled == 1


def test_equal_passwords_of_two_systems_are_two_secrets(tmp_path: Path) -> None:
    script = (
        "PW=plum\njrunner -scu jdbc:postgresql://erp/a -scn u -scp $PW -sq full.sql"
        " -dcu jdbc:postgresql://dw/b -dcn u -dcp $PW -dt t\n"
        "jrunner -scu jdbc:postgresql://erp/c -scn u -scp plum -sq full.sql"
        " -dcu jdbc:postgresql://dw/b -dcn u -dcp plum -dt t2"
    )
    imported = load(tmp_path, script, FULL)
    connections = yaml.safe_load(imported.text)["connections"]
    secrets = {name: one["password"] for name, one in connections.items()}
    assert secrets["a"] == secrets["c"] != secrets["b"]
    assert "plum" not in imported.text + imported.report


PICKED = {"q/a.sql": "select id from t where id > 4", "q/b.sql": "select id from t where id > 5"}


@pytest.mark.parametrize(
    ("script", "files", "told"),
    [
        ("cat > /tmp/q.$$.sql <<E\nselect id, $$ as run from t\nE\n" + JRUNNER.format(query="/tmp/q.$$.sql"), {},
         "the watermark process is what `$$` gives"),
        (f'echo "select id from t where note = $$it$$" > /tmp/q.sql\n{AT_Q}', {}, "`$$` gives"),
        (f'echo "select id from t where run = $PPID" > /tmp/q.sql\n{AT_Q}', {}, "`$PPID` gives"),
        (f"mv q/a.sql q.sql\n{JRUNNER.format(query='q.sql')}", PICKED, "`mv q/a.sql` (run.sh:2) takes away"),
        (f"cp q/a.sql q.sql\n{JRUNNER.format(query='q.sql')}\nrm -f q/*", PICKED, "takes away the file of its query"),
        (f"for f in q/a*; do\n{JRUNNER.format(query='$f')}\nmv $f done/\ndone", PICKED, "takes away the file"),
        (f"Q=$(ls q/*.sql | tail -1)\n{JRUNNER.format(query='$Q')}", PICKED, "the query's file is what `ls | tail -1`"),
        (f"Q=$(ls q | grep sql | sort | head -n1)\n{JRUNNER.format(query='q/$Q')}", PICKED, "`ls | head -n1` gives"),
        (f"Q=(q/*.sql)\n{JRUNNER.format(query='${Q[-1]}')}", PICKED, "`${Q[-1]}` gives"),
        (f"for f in q/*.sql; do Q=$f; done\n{JRUNNER.format(query='$Q')}", PICKED, "`for f in q/*.sql` gives"),
    ],
)  # fmt: skip
def test_a_query_that_is_another_one_the_next_time_is_a_question(
    tmp_path: Path, script: str, files: dict[str, str], told: str
) -> None:
    imported = load(tmp_path, script, files)
    (module,) = read_modules(imported).values()
    assert not module["enabled"]
    assert told in str(module["notes"])


@pytest.mark.parametrize(
    ("script", "files"),
    [
        ('rm -f q.sql\necho "select id from t" > q.sql\n{load}\nrm q.sql', {"q.sql": "select id from t"}),
        ("T=stage.t_$$\n{staged}\npsql -h h -U etl -d dw -c 'truncate public.t' "
         '-c "insert into public.t select id from $T" -c "drop table $T"', {"q.sql": "select id from t"}),
        ("for f in $(ls q/*.sql); do\n{each}\ndone", PICKED),
    ],
)  # fmt: skip
def test_files_and_tables_of_one_run_and_lists_of_files_are_no_question(
    tmp_path: Path, script: str, files: dict[str, str]
) -> None:
    calls = {"load": JRUNNER.format(query="q.sql"), "each": JRUNNER.format(query="$f")}
    calls["staged"] = calls["load"].replace("public.t", "$T")
    for name, call in calls.items():
        script = script.replace(f"{{{name}}}", call)
    for module in read_modules(load(tmp_path, script, files)).values():
        assert module.get("enabled", True)
        assert module["table"] == "public.t"


def test_each_password_of_a_login_is_used_where_it_stood(tmp_path: Path) -> None:
    sides = "-scu jdbc:postgresql://h/s -scn u -scp {} -dcu jdbc:postgresql://h/dw -dcn u -dcp x1"
    call = f"jrunner {sides} -sq q.sql -dt {{}}\n"
    calls = [call.format(*one) for one in (("quince7", "a"), ("medlar8", "b"), ("$MORE", "c"))]
    imported = load(tmp_path, "".join(calls), QUERY)
    found = yaml.safe_load(imported.text)
    passwords = [found["connections"][found["modules"][name]["source"]]["password"] for name in "abc"]
    assert passwords == ["$S_PASSWORD", "$S_PASSWORD_2", "$MORE"]
    assert "The login of s has another password here: s_2 is the same with $S_PASSWORD_2." in imported.report
    assert not re.search("quince7|medlar8", imported.text + imported.report)


def test_sql_with_another_password_than_the_load_disables_its_module(tmp_path: Path) -> None:
    call = JRUNNER.format(query="q.sql").replace("-dcn etl", "-dcn etl -dcp one")
    imported = load(tmp_path, f"{call}\nPGPASSWORD=two psql -h h -U etl -d dw -c 'delete from public.t'", QUERY)
    (module,) = read_modules(imported).values()
    assert "logs in with another password than jrunner does (run.sh:3)" in str(module["notes"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("run.bat", "jrunner -scu x -sq y"),
        ("load.py", "#!/usr/bin/python3\nrun('jrunner')\n"),
        ("run.sh.old", "jrunner -scu x -sq y"),
        ("Makefile", "all:\n\tjrunner -scu x\n"),
    ],
)
def test_programs_that_are_no_shell_scripts_are_named(tmp_path: Path, name: str, text: str) -> None:
    imported = load(tmp_path, JRUNNER.format(query="full.sql"), {**FULL, name: text})
    assert f"  {name}:" in imported.report
    assert "calls jrunner: make its modules by hand" in imported.report


def test_a_file_that_cannot_be_read_is_named_and_one_in_another_coding_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "run.sh").write_bytes(b"# gr\xfcn\n" + JRUNNER.format(query="full.sql").encode())
    (folder / "full.sql").write_bytes("select 'ü' from t".encode("utf-16"))
    (folder / "other.sql").write_bytes(b"select 1\0")
    imported = import_scripts(folder)
    assert (imported.modules, imported.disabled) == (1, 0)
    assert "select 'ü' from t" in imported.text
    assert "other.sql: This file was not read" in imported.report


@pytest.mark.parametrize(
    ("text", "value"),
    [("2 * (3 + 4)", 14), ("-7 / 2", -3), ("-7 % 3", -1), ("1 - -1", 2), ("1 /", None), ("1 / 0", None), ("x", None)],
)
def test_numbers_are_calculated_as_a_shell_does(text: str, value: int | None) -> None:
    assert calculate(text) == value


@pytest.mark.parametrize(
    ("script", "text", "made"),
    [
        ("s/a/b/", "aa\naa\n", "ba\nba\n"),
        ("s/[0-9][0-9]*/#/g", "a12b3", "a#b#"),
        (r"s/\(a\)\(b\)/\2\1/", "ab", "ba"),
        ("s|^x=.*$|x=1|", "x=0\ny=x=0\n", "x=1\ny=x=0\n"),
        ("1d;$d", "a\nb\nc\n", "b\n"),
        ("/^$/d", "a\n\nb\n", "a\nb\n"),
        ("s/a.c/&&/", "abc", "abcabc"),
        ("s/a+/b/", "aa+", "ab"),
        ("y/a/b/", "a", None),
        ("s/a/b/w f", "a", None),
    ],
)
def test_sed_is_followed_as_it_is_or_not_at_all(script: str, text: str, made: str | None) -> None:
    assert run_sed([script], text) == made
