# Changes merged by key into a big table. Knows nothing of how a merge finds its rows.
"""A twelfth of the big table's rows come again, all of them changed or one in twenty; beside what a person would write.

The dest is a database that is copied from a template before each run, so that every contender meets the same pages.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.contenders import build_module, build_pipe, build_pipekit_run, build_staged_pipe
from bench.data import COLUMNS, TABLE, take_fingerprint
from bench.measure import measure
from bench.peers import build_sling
from bench.place import Place, say
from bench.race import Contender, NotEqual, Result, build_limit, build_table, race
from bench.servers import DATABASE
from bench.tables import Limit, Part

KEY = ("l_orderkey", "l_linenumber")
SCRIPT, CONFLICT, CONFLICT_DIFFERS = "delete + insert, by hand", "ON CONFLICT, by hand", "ON CONFLICT, what differs"
INCREMENTAL, UPSERT = "pipekit run, incremental", "pipekit run, upsert"
# A database of its own: the template has to be without sessions.
DEST, TEMPLATE = "keyed", "keyed_template"
CHANGES, FEW_CHANGES = "changed", "hardly_changed"
# With fewer rows what a run costs at least is most of it.
LIMITED_FROM = 6_000_000
LIMIT_INCREMENTAL, LIMIT_UPSERT, LIMIT_UNCHANGED = 0.90, 0.80, 0.35
# Every twelfth line of the big table, all over it; of those, which differ.
SHARE = 12
_WHICH = f"(l_orderkey * 4 + l_linenumber) % {SHARE} = 0"
_DIFFERS = {CHANGES: "true", FEW_CHANGES: f"(l_orderkey * 4 + l_linenumber) / {SHARE} % 20 = 0"}


def measure_keyed(place: Place) -> Part:
    """Both sets of changes; limits from six million rows on."""
    place.make_big_tables()
    make_template(place)
    found = {changes: race_changes(place, changes, _list_contenders(place, changes)) for changes in _DIFFERS}
    drop_copies(place)
    count = f"{place.rows // SHARE:,} rows by key into {place.rows:,}"
    return Part(
        tables=[
            build_table(f"{count}, all of them changed", found[CHANGES], SCRIPT),
            build_table(f"{count}, 95 % of them unchanged", found[FEW_CHANGES], SCRIPT),
        ],
        limits=list_limits(found) if place.rows >= LIMITED_FROM else [],
        data=found,
    )


def list_limits(found: Mapping[str, Sequence[Result]]) -> list[Limit]:
    """Against the script that deletes and inserts."""
    all_changed, few_changed = found[CHANGES], found[FEW_CHANGES]
    return [
        build_limit(all_changed, INCREMENTAL, SCRIPT, LIMIT_INCREMENTAL),
        build_limit(all_changed, UPSERT, SCRIPT, LIMIT_UPSERT),
        build_limit(few_changed, INCREMENTAL, SCRIPT, LIMIT_UNCHANGED, when="95 % unchanged"),
        build_limit(few_changed, UPSERT, SCRIPT, LIMIT_UNCHANGED, when="95 % unchanged"),
    ]


def drop_copies(place: Place) -> None:
    """Removes the dest, what it is copied from, and what comes."""
    for name in (DEST, TEMPLATE):
        place.servers.dest.drop_database(name)
    for name in _DIFFERS:
        place.servers.source.run_sql(f"drop table if exists {name} cascade", DATABASE)


def make_template(place: Place) -> None:
    """The dest as it is before each run, and what comes."""
    drop_copies(place)
    source, dest = place.servers.source, place.servers.dest
    dest.create_database(TEMPLATE)
    dest.run_sql(f"create table {TABLE} ({COLUMNS})", TEMPLATE)
    measure(build_pipe(place.servers, database=TEMPLATE), cwd=place.folder)
    key = f"alter table {TABLE} add primary key ({', '.join(KEY)})"
    dest.run_sql(f"{key}; vacuum (freeze, analyze) {TABLE};", TEMPLATE, timeout_s=3600)
    for name, differs in _DIFFERS.items():
        changed = f"case when {differs} then l_quantity + 1 else l_quantity end"
        source.run_sql(
            f"create table {name} as select * from {TABLE} where {_WHICH}; update {name} set l_quantity = {changed}; "
            f"vacuum (full, freeze, analyze) {name};",
            DATABASE,
            timeout_s=3600,
        )
        source.run_sql(
            f"create view {name}_expected as select * from {name} union all select * from {TABLE} where not {_WHICH}",
            DATABASE,
        )


def race_changes(place: Place, changes: str, contenders: Sequence[Contender]) -> list[Result]:
    """Each into a copy of its own; what the dest holds then is compared."""
    say(f"  rows of the table {changes}")
    dest = place.servers.dest
    expected = take_fingerprint(place.servers.source, f"{changes}_expected")

    def prepare(_: Contender) -> None:
        dest.drop_database(DEST)
        dest.run_sql(f"create database {DEST} template {TEMPLATE} strategy file_copy", timeout_s=600)
        place.servers.settle()

    def compare(contender: Contender) -> None:
        got = take_fingerprint(dest, TABLE, database=DEST)
        if got != expected:
            raise NotEqual(f"{contender.name}: the dest holds {got}, not {expected}")

    course = place.build_course(prepare, compare)
    return race(contenders, place.rounds, course)


def make_home(place: Place, changes: str, ways: Mapping[str, tuple[str, str]]) -> Path:
    """An installation with a module for each name: its strategy, and what else it says."""
    modules = [
        build_module(
            name,
            f"select * from {changes}",
            f"public.{TABLE}",
            strategy=strategy,
            more=f"key: [{', '.join(KEY)}], dest: {DEST}{more and ', '}{more}",
        )
        for name, (strategy, more) in ways.items()
    ]
    url = place.servers.dest.jdbc_url(DEST)
    connection = f'  {DEST}: {{driver: postgresql, jdbc_url: "{url}", username: postgres}}'
    return place.make_home(f"{changes} {' '.join(ways)}", modules, connections=connection)


def _list_contenders(place: Place, changes: str) -> list[Contender]:
    by_hand = {SCRIPT: _build_delete_insert(), CONFLICT: _build_conflict(), CONFLICT_DIFFERS: _build_conflict(True)}
    home = make_home(place, changes, {strategy: (strategy, "") for strategy in ("incremental", "upsert")})
    return [
        *(
            Contender(
                name=name,
                what="staged by psql, analyzed, merged in one transaction",
                argv=build_staged_pipe(
                    place.servers, changes, dest=TABLE, merge=f"analyze staging; {merge}", database=DEST
                ),
            )
            for name, merge in by_hand.items()
        ),
        build_pipekit_run(home, "incremental", name=INCREMENTAL),
        build_pipekit_run(home, "upsert", name=UPSERT),
        *(
            build_sling(peers, place.servers, table=changes, database=DEST, key=",".join(KEY))
            for peers in (place.peers,)
            if peers
        ),
    ]


def _build_delete_insert() -> str:
    matches = " and ".join(f"t.{column} = s.{column}" for column in KEY)
    return f"delete from {TABLE} t using staging s where {matches}; insert into {TABLE} select * from staging"


def _build_conflict(only_what_differs: bool = False) -> str:
    columns: Sequence[str] = [part.split()[0] for part in COLUMNS.replace("15,2", "").split(",")]
    others = [column for column in columns if column not in KEY]
    sets = ", ".join(f"{column} = excluded.{column}" for column in others)
    old, new = (", ".join(f"{row}.{column}" for column in others) for row in ("t", "excluded"))
    where = f" where ({old}) is distinct from ({new})" if only_what_differs else ""
    insert = f"insert into {TABLE} as t select * from staging"
    return f"{insert} on conflict ({', '.join(KEY)}) do update set {sets}{where}"
