# What a preview says a merge would do, against what the merge then does, on real databases.
"""`pipekit run --preview`, and merging or dropping what it has staged."""

import itertools
import os
import random
from typing import Any

import pytest

from pipekit import repo
from pipekit.errors import Conflict
from pipekit.models import Guards, Module, Preview, Run
from tests.databases.places import Place, Postgres, Sqlite
from tests.near import NearRunner
from tests.profiles import is_quick

_NUMBERS = itertools.count(1)
_AUDIT = """CREATE TABLE seen (what text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO seen VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER notes AFTER INSERT OR UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION note();"""
_CHILD = "CREATE TABLE child (t_id integer REFERENCES t (id) {acts}); INSERT INTO child SELECT id FROM t;"
# Dests: how each is made, and what is made around it once it has rows. `k` may repeat, and be NULL.
POSTGRES = {
    "plain": ("id integer, k integer, v text", ""),
    "a primary key": ("id integer PRIMARY KEY, k integer, v text", ""),
    "a unique key beside it": ("id integer PRIMARY KEY, k integer, v text, w integer UNIQUE", ""),
    "a column that is not fed": ("id integer PRIMARY KEY, k integer, v text, n integer DEFAULT 7", ""),
    "an identity": ("id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, k integer, v text", ""),
    "a trigger": ("id integer PRIMARY KEY, k integer, v text", _AUDIT),
    "rows that refer to it": ("id integer PRIMARY KEY, k integer, v text", _CHILD.format(acts="")),
    "rows that go along": ("id integer PRIMARY KEY, k integer, v text", _CHILD.format(acts="ON DELETE CASCADE")),
    "numbers with a scale": ("id integer PRIMARY KEY, k integer, v numeric", ""),
    "another type": ("id bigint PRIMARY KEY, k numeric(8,2), v varchar(20)", ""),
    "versions": ("id integer, k integer, v text, valid_from timestamp, valid_to timestamp, current boolean", ""),
}
SQLITE = {
    "plain": ("id integer, k integer, v text", ""),
    "a primary key": ("id integer primary key, k integer, v text", ""),
    "a key that knows no case": ("id integer primary key, k integer, v text collate nocase", ""),
    "a key with blanks": ("id integer primary key, k text collate rtrim, v text", ""),
    "a column that is not fed": ("id integer primary key, k integer, v text, n integer default 7", ""),
    "a trigger": (
        "id integer primary key, k integer, v text",
        "create table seen (w text); create trigger notes after update on t begin insert into seen values ('u'); end;",
    ),
}
VALUES = ("'1'", "'1.0'", "'A'", "'a'", "'a '", "NULL")
DESTS: dict[type[Place], dict[str, tuple[str, str]]] = {Postgres: POSTGRES, Sqlite: SQLITE}
GONE: dict[str, Any] = {"deletes": "hard"}
WAYS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("full", "", {}), ("append", "", {}), ("incremental", "id", {}), ("incremental", "k", {}),
    ("incremental", "id, k", {}), ("upsert", "id", {}), ("upsert", "id, k", {}), ("upsert", "k", {}),
    ("upsert", "id", GONE), ("incremental", "id", GONE),
)  # fmt: skip
SWAPPED: dict[str, Any] = {"load": "swap"}
SEED, SEEDS = os.environ.get("PIPEKIT_TEST_SEED", ""), int(os.environ.get("PIPEKIT_TEST_PREVIEWS", "5"))


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipekit.engine.runners.NativeRunner", NearRunner)


def add_module(place: Place, strategy: str, key: str, query: str = "select id, k, v from s", **options: Any) -> Module:
    options |= {"merge_key": key} if key else {}
    more: dict[str, Any] = {"source": place.me, "dest": place.me, "query": query, "table": "t"}
    return place.project.add_module(f"m{next(_NUMBERS)}", merge_strategy=strategy, **(more | options))


def fill(place: Place, chance: random.Random, dest: str) -> None:
    """A dest and a source with rows that meet here and there."""
    columns, around = DESTS[type(place)][dest]
    type_ = "numeric" if "v numeric" in columns else "text"
    values = ("1", "1.0", "2", "NULL") if type_ == "numeric" else VALUES
    place.execute(f"CREATE TABLE t ({columns}); CREATE TABLE s (id integer, k integer, v {type_})")
    inserts: list[str] = []
    for table in "ts":
        ids = chance.sample(range(30), chance.randint(0, 20))
        ids += ids[:3] if dest == "plain" and chance.random() < 0.3 else []
        overriding = " OVERRIDING SYSTEM VALUE" if "IDENTITY" in columns and table == "t" else ""
        for number in ids:
            k = chance.choice((str(number), str(number), str(chance.randint(0, 5)), "NULL"))
            inserts.append(
                f"INSERT INTO {table} (id, k, v){overriding} VALUES ({number}, {k}, {chance.choice(values)})"
            )
    place.execute("; ".join([*inserts, around]))


def figures(run: Run) -> tuple[int | None, ...]:
    return (run.rows_inserted, run.rows_updated, run.rows_deleted, run.rows_unchanged)


def foresee(place: Place, module: Module) -> tuple[Run, Preview | None]:
    run = place.project.run(module, preview=True)
    return run, repo.find_preview(place.project.db, run.id)


def told(preview: Preview) -> tuple[int | None, ...]:
    return (preview.would_insert, preview.would_update, preview.would_delete, preview.unchanged)


@pytest.mark.parametrize("seed", range(1 if is_quick() else SEEDS))
def test_a_preview_says_what_the_run_then_does_and_changes_nothing(place: Place, seed: int) -> None:
    chance = random.Random(f"{SEED} {seed}" if SEED else seed)
    merged = 0
    ways = (*WAYS, ("full", "", SWAPPED)) if type(place) is Postgres else WAYS
    for dest in DESTS[type(place)]:
        strategy, key, options = ("snapshot", "id", {}) if dest == "versions" else chance.choice(ways)
        place.clear()
        fill(place, chance, dest)
        guards = Guards(null_keys=chance.random() < 0.8, children=chance.random() < 0.5, empty_source=False)
        module = add_module(place, strategy, key, guards=guards, **options)
        if strategy == "snapshot":
            place.project.run(module)
            place.execute("DELETE FROM s WHERE id % 3 = 0; UPDATE s SET v = 'b' WHERE id % 3 = 1")
        before = place.rows("SELECT * FROM t ORDER BY 1, 2, 3")
        looked, preview = foresee(place, module)
        assert place.rows("SELECT * FROM t ORDER BY 1, 2, 3") == before, dest
        merges = looked.id if preview and chance.random() < 0.5 else None
        run = place.project.run(module, merges=merges)
        case = (dest, strategy, key, guards, looked.error, run.error)
        # A unique key that is broken, or a row that others refer to, is met by the merge alone.
        assert looked.status == "dry_run" or run.status == "error", case
        if run.status == "success":
            assert preview is not None, case
            assert told(preview) == figures(run), case
            merged += 1
    assert merged


def make_small(place: Place) -> None:
    """One row stays, one changes, one is new, and one is in the dest alone."""
    place.execute(
        "CREATE TABLE t (id integer PRIMARY KEY, k integer, v text); CREATE TABLE s (id integer, k integer, v text)"
    )
    place.execute("INSERT INTO t VALUES (1, 1, 'same'), (2, 2, 'old'), (9, 9, 'other')")
    place.execute("INSERT INTO s VALUES (1, 1, 'same'), (2, NULL, 'new'), (3, 3, 'added')")


AFTER = [(1, 1, "same"), (2, None, "new"), (3, 3, "added"), (9, 9, "other")]


def read(place: Place) -> list[tuple[Any, ...]]:
    return place.rows("SELECT * FROM t ORDER BY id")


def test_a_preview_shows_rows_and_what_differs_in_them_as_json(place: Place) -> None:
    make_small(place)
    module = add_module(place, "upsert", "id")
    record = place.project.cli_json("run", module.name, "--preview")
    assert [record[name] for name in ("would_insert", "would_update", "would_delete", "unchanged")] == [1, 1, 0, 1]
    assert (record["status"], record["preview"], record["merge_state"]) == ("dry_run", True, "none")
    assert (record["rows_staged"], record["rows_inserted"], record["notes"]) == (3, None, [])
    assert record["samples"] == {
        "insert": [{"id": "3", "k": "3", "v": "added"}],
        "update": [{"key": {"id": "2"}, "differs": {"k": ["2", None], "v": ["old", "new"]}}],
        "delete": [],
    }
    shown = place.project.cli("run", module.name, "--preview").stdout
    assert "~ id '2': k '2' -> NULL, v 'old' -> 'new'" in shown
    assert len(place.list_staging()) == 2
    assert repo.list_leftover_runs(place.project.db, module.id) == []


def test_what_was_looked_at_is_merged_whatever_the_source_has_become(place: Place) -> None:
    make_small(place)
    module = add_module(place, "upsert", "id")
    looked, _ = foresee(place, module)
    place.execute("DELETE FROM s")
    finished = place.project.cli("run", module.name, "--merge-preview", str(looked.id), "--json")
    assert finished.code == 0, finished.stderr
    assert read(place) == AFTER
    run = place.project.last_run()
    assert (run.merges_preview, figures(run), run.merge_state) == (looked.id, (1, 1, 0, 1), "merged")
    assert place.list_staging() == []
    again = place.project.cli("run", module.name, "--merge-preview", str(looked.id))
    assert (again.code, "is not kept any more" in again.stderr) == (2, True)


def test_a_dest_that_has_changed_since_the_look_is_not_merged_into(place: Place) -> None:
    changes = {
        "INSERT INTO t VALUES (3, 3, 'added')": "0 rows are inserted, but 1 were to be",
        "UPDATE t SET v = 'odd' WHERE id = 1": "2 rows are updated, but 1 were to be",
        "ALTER TABLE t ADD COLUMN more integer": "were changed after run",
    }
    for change, told_ in changes.items():
        place.clear()
        make_small(place)
        module = add_module(place, "upsert", "id")
        looked, _ = foresee(place, module)
        place.execute(change)
        before = read(place)
        run = place.project.run(module, merges=looked.id)
        assert (run.status, run.merge_state, read(place) == before) == ("error", "none", True)
        assert told_ in (run.error or "")
        assert "review it again" in (run.hint or "")
    # The last one was refused before its staging was touched; it stays until its time is over.
    assert len(place.list_staging()) == 1


def test_a_preview_is_not_merged_after_the_module_changed_or_another_run_merged(place: Place) -> None:
    make_small(place)
    module = add_module(place, "upsert", "id")
    other = add_module(place, "append", "", query="select id + 100 as id, k, v from s")
    stranger = add_module(place, "upsert", "id")
    looked, _ = foresee(place, module)
    with pytest.raises(Conflict, match="is no preview of the module"):
        place.project.run(stranger, merges=looked.id)
    repo.update_module(place.project.db, module.id, source_query="select id, k, 'x' as v from s")
    with pytest.raises(Conflict, match="was changed after run"):
        place.project.run(repo.get_module(place.project.db, module.id), merges=looked.id)
    repo.update_module(place.project.db, module.id, source_query=module.source_query, notes="a word more", retries=1)
    merged = place.project.succeed(other)
    with pytest.raises(Conflict, match=f"Run {merged.id} has merged into"):
        place.project.run(repo.get_module(place.project.db, module.id), merges=looked.id)
    assert len(read(place)) == 6


def test_runs_beside_it_leave_what_a_preview_has_staged(place: Place) -> None:
    make_small(place)
    module = add_module(place, "upsert", "id")
    looked, _ = foresee(place, module)
    place.execute("INSERT INTO s VALUES (3, 4, 'twice')")
    assert place.project.run(module).status == "error"
    assert place.project.run(module, merges=looked.id).status == "success"
    assert read(place) == AFTER


def test_a_preview_that_is_dropped_or_whose_time_is_over_leaves_no_table(place: Place) -> None:
    make_small(place)
    project, module = place.project, add_module(place, "upsert", "id")
    looked, _ = foresee(place, module)
    assert project.cli("run", module.name, "--drop-preview", str(looked.id)).code == 0
    assert (place.list_staging(), read(place)[0]) == ([], (1, 1, "same"))
    assert project.cli("run", module.name, "--drop-preview", str(looked.id)).code == 2
    looked, preview = foresee(place, module)
    assert preview is not None
    repo.keep_preview(project.db, looked.id, preview, -1.0)
    assert project.cli("run", module.name, "--merge-preview", str(looked.id)).code == 2
    project.run(module, preview=True)
    assert [looked.run_key[:12] in name for name in place.list_staging()] == [False]


def test_staging_that_has_lost_its_rows_is_not_merged(postgres_place: Postgres) -> None:
    """A server that crashes empties tables that are not logged."""
    place = postgres_place
    place.clear()
    make_small(place)
    module = add_module(place, "full", "")
    looked, _ = foresee(place, module)
    [name] = [name for name in place.list_staging() if looked.run_key[:12] in name]
    place.execute(f'TRUNCATE pipekit_staging."{name}"')
    run = place.project.run(module, merges=looked.id)
    assert (run.status, run.error_stage, len(read(place))) == ("error", "stage", 3)
    assert "holds 0 rows" in (run.error or "")


@pytest.mark.parametrize("load", ["swap", "direct", "staged"])
def test_a_module_of_each_way_is_previewed_and_merged(postgres_place: Postgres, load: str) -> None:
    place = postgres_place
    place.clear()
    make_small(place)
    module = add_module(place, "full", "", load=load)
    looked, preview = foresee(place, module)
    assert preview is not None, looked.error
    assert told(preview) == (3, 0, 3, None)
    run = place.project.run(module, merges=looked.id)
    assert (run.status, run.error, figures(run)) == ("success", None, (3, 0, 3, None))
    assert [row[0] for row in read(place)] == [1, 2, 3]


def test_a_preview_into_a_dest_that_is_made_leaves_none(place: Place) -> None:
    place.execute("CREATE TABLE s (id integer, k integer, v text); INSERT INTO s VALUES (1, 2, 'x')")
    module = add_module(place, "upsert", "id", create_table=True)
    looked, preview = foresee(place, module)
    assert preview is not None, looked.error
    assert (told(preview)[:3], "is not there yet" in preview.notes[0]) == ((1, 0, 0), True)
    with pytest.raises(Exception, match="t"):
        read(place)
    assert place.project.run(module, merges=looked.id).status == "success"
    assert read(place) == [(1, 2, "x")]


def test_rows_that_a_unique_key_of_the_dest_refuses_are_told_before(place: Place) -> None:
    make_small(place)
    module = add_module(place, "append", "")
    looked, preview = foresee(place, module)
    assert (looked.status, looked.error_stage, preview) == ("error", "check", None)
    assert "2 staged rows have a value of id that" in (looked.error or "")
    assert place.project.run(module).error_stage == "merge"
    place.execute("DELETE FROM t WHERE id < 9")
    assert foresee(place, module)[0].status == "dry_run"


def test_what_was_previewed_and_merged_is_taken_back_as_any_run(place: Place) -> None:
    make_small(place)
    before = read(place)
    module = add_module(place, "upsert", "id", undo_runs=3)
    looked, _ = foresee(place, module)
    run = place.project.run(module, merges=looked.id)
    assert (run.status, run.error) == ("success", None)
    assert read(place) == AFTER
    undone = place.project.cli("undo", str(run.id))
    assert undone.code == 0, undone.stderr
    assert read(place) == before
