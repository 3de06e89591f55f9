# What it costs to keep what a merge changes. Knows nothing of how it is kept.
"""A twelfth of the big table's rows comes again, all of them changed, with `undo` and without."""

from bench.contenders import build_pipekit_run
from bench.keyed import CHANGES, INCREMENTAL, LIMITED_FROM, UPSERT, drop_copies, make_home, make_template, race_changes
from bench.place import Place
from bench.race import build_limit, build_table
from bench.tables import Part

LIMIT = 1.25
_NAMES = {"incremental": INCREMENTAL, "upsert": UPSERT}
_WITH = ", with undo"


def measure_undo(place: Place) -> Part:
    """Both strategies; limits from six million rows on."""
    place.make_big_tables()
    make_template(place)
    ways = {strategy: (strategy, "") for strategy in _NAMES}
    ways |= {f"{strategy}_undo": (strategy, "undo: {runs: 3}") for strategy in _NAMES}
    home = make_home(place, CHANGES, ways)
    runs = [build_pipekit_run(home, name, name=_NAMES[name]) for name in _NAMES]
    runs += [build_pipekit_run(home, f"{name}_undo", name=_NAMES[name] + _WITH) for name in _NAMES]
    found = race_changes(place, CHANGES, runs)
    drop_copies(place)
    words = f"{place.rows // 12:,} rows by key into {place.rows:,}, all of them changed"
    return Part(
        tables=[build_table(words, found, name) for name in _NAMES.values()],
        limits=[build_limit(found, name + _WITH, name, LIMIT) for name in _NAMES.values()]
        if place.rows >= LIMITED_FROM
        else [],
        data=found,
    )
