# The whole table into a bare, empty dest. Knows nothing of what the table holds.
"""Full loads of one table beside psql's pipe, which is the limit, and psql with staging, which is as safe."""

from bench.contenders import (
    BINARY,
    PIPE,
    PIPEKIT,
    STAGED_BINARY,
    STAGED_PIPE,
    build_module,
    build_pipe,
    build_pipekit_run,
    build_staged_pipe,
)
from bench.data import COLUMNS, TABLE
from bench.peers import build_dlt, build_sling
from bench.place import Place
from bench.race import Contender, build_limit, build_table, race
from bench.servers import DATABASE, Servers
from bench.tables import Part

OTHER_TYPES = "pipekit run, types that differ"
STAGED = "pipekit run, load: staged"
WIDER = f"{TABLE}_wider"
# Rows of the table up to which the first limit is asked for; above, the second.
MILLION = 1_000_000
LIMITS = (1.0, 1.15)
LIMIT_OTHER_TYPES = 1.3


def measure_moves(place: Place) -> Part:
    """Measures every contender `rounds` times, one after the other in each round; raises NotEqual."""
    course = place.build_course(place.empty, place.compare)
    place.make_big_tables()
    peers = [build(place.peers, place.servers) for build in (build_sling, build_dlt) if place.peers]
    results = race([*list_pipes(place.servers), *_list_own(place), *peers], place.rounds, course)
    return Part(
        tables=[build_table(f"full, {place.rows:,} rows into a bare table", results, PIPE)],
        limits=[
            build_limit(results, PIPEKIT, PIPE, LIMITS[place.rows > MILLION]),
            build_limit(results, OTHER_TYPES, PIPE, LIMIT_OTHER_TYPES),
        ],
        data=results,
    )


def list_pipes(servers: Servers) -> list[Contender]:
    """psql's own ways."""
    return [
        Contender(name=PIPE, what="psql copy out | psql copy in, straight into the dest", argv=build_pipe(servers)),
        Contender(
            name=STAGED_PIPE,
            what="the same into an unlogged table, then truncate and insert in one transaction",
            argv=build_staged_pipe(servers),
        ),
        Contender(
            name=STAGED_BINARY,
            what="the same in COPY's binary form, which is safe only between equal types",
            argv=build_staged_pipe(servers, form=BINARY),
        ),
    ]


def _list_own(place: Place) -> list[Contender]:
    """Into a table of the same types, by staging too, and into one that is wider where values stay the same text."""
    wider = COLUMNS.replace("key integer", "key bigint").replace("varchar(44)", "text")
    place.servers.dest.run_sql(f"create table if not exists {WIDER} ({wider})", DATABASE)
    query = f"select * from {TABLE}"
    modules = [
        build_module(TABLE, query, f"public.{TABLE}"),
        build_module("staged", query, f"public.{TABLE}", more="load: staged"),
        build_module(WIDER, query, f"public.{WIDER}"),
    ]
    home = place.make_home("move", modules)
    return [
        build_pipekit_run(home, TABLE),
        build_pipekit_run(home, "staged", name=STAGED),
        build_pipekit_run(home, WIDER, name=OTHER_TYPES, dest=WIDER),
    ]
