# The queue: who may start next, who waits for whom, and what becomes of runs that nobody will start.
"""Real files; several threads and connections where it matters."""

import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.errors import ModuleBusy, NotFound
from pipekit.models import Connection, Module, Run
from tests.repo.costs import count_steps

# What a walk may cost for each run that waits.
STEPS_FOR_EACH = 100

MakeModule = Callable[..., Module]


@pytest.fixture
def other(path: Path, db: repo.State) -> Iterator[repo.State]:
    state = repo.open_state(path)
    yield state
    state.close()


@pytest.fixture
def connections(db: repo.State) -> Callable[..., Connection]:
    def make(name: str, max_runs: int | None = None) -> Connection:
        return repo.create_connection(
            db, name=name, driver="sqlite", jdbc_url=f"jdbc:sqlite:{name}.db", max_runs=max_runs
        )

    return make


@pytest.fixture
def make(db: repo.State, shop: Connection, dw: Connection) -> MakeModule:
    def make(name: str, source: Connection = shop, dest: Connection = dw) -> Module:
        return repo.create_module(
            db, name=name, source_id=source.id, dest_id=dest.id, source_query="select 1", dest_table=name
        )

    return make


def ask(db: repo.State, module: Module, **options: Any) -> Run:
    return repo.enqueue_run(db, module.id, **{"triggered_by": "api", **options})


def claim(db: repo.State, max_runs: int = 10, owner: str = "server", **options: Any) -> str | None:
    """The name of the module whose run was started."""
    run = repo.claim_next_run(db, owner=owner, lease_s=20, max_runs=max_runs, **options)
    return run.module if run else None


def finish(db: repo.State, name: str) -> None:
    run = repo.list_runs(db, module=name, status="running")[0]
    assert repo.finish_run(db, run.id, owner=run.owner or "", status="success")


def let_server_live(db: repo.State) -> None:
    assert repo.take_server(db, "server", 20, None)


def add_to_group(db: repo.State, name: str, *members: tuple[Module, int], **options: Any) -> int:
    group = repo.create_group(db, name=name, **options)
    for module, run_order in members:
        repo.create_member(db, group_id=group.id, module_id=module.id, run_order=run_order)
    return group.id


# -- asking and starting -----------------------------------------------------------------------------------------------


def test_a_run_that_is_asked_for_waits_with_what_it_was_asked_with(db: repo.State, make: MakeModule) -> None:
    run = ask(db, make("a"), dry_run=True, overrides={"since": "2024"})
    assert (run.status, run.owner, run.dry_run, run.started_at) == ("queued", None, True, None)
    assert run.queued_at is not None
    assert repo.get_overrides(db, run.id) == {"since": "2024"}
    with pytest.raises(NotFound):
        repo.enqueue_run(db, 99, triggered_by="api")


def test_a_module_waits_or_runs_once(db: repo.State, make: MakeModule) -> None:
    module = make("a")
    waiting = ask(db, module)
    with pytest.raises(ModuleBusy, match=f"waiting to run already: run {waiting.id}") as caught:
        ask(db, module)
    assert f"pipekit runs cancel {waiting.id}" in caught.value.hint
    claim(db)
    with pytest.raises(ModuleBusy, match=f"already running: run {waiting.id}"):
        ask(db, module)


def test_a_claimed_run_owns_its_module(db: repo.State, make: MakeModule) -> None:
    module = make("a")
    asked = ask(db, module)
    run = repo.claim_next_run(db, owner="server", lease_s=20, max_runs=1)
    assert run is not None
    held = repo.get_module(db, module.id)
    assert (run.id, run.status, run.owner, run.fence) == (asked.id, "running", "server", held.fence)
    assert (held.running, held.lease_owner, held.lease_expires_at) == (True, "server", run.lease_expires_at)


def test_what_a_module_is_when_it_starts_counts(db: repo.State, make: MakeModule, shop: Connection) -> None:
    module = make("a")
    asked = ask(db, module)
    repo.update_module(db, module.id, name="b", dest_id=shop.id, dest_table="elsewhere")
    assert claim(db) == "b"
    run = repo.get_run(db, asked.id)
    assert (run.module, run.dest_id, run.dest_table) == ("b", shop.id, "elsewhere")


def test_the_oldest_starts_first_within_the_limit(db: repo.State, make: MakeModule) -> None:
    for name in ("c", "a", "b"):
        ask(db, make(name))
    assert [claim(db, max_runs=2) for _ in range(3)] == ["c", "a", None]
    finish(db, "a")
    assert claim(db, max_runs=2) == "b"


def test_a_poll_of_an_empty_queue_does_not_wait_for_a_writer(db: repo.State, other: repo.State) -> None:
    db.row("PRAGMA busy_timeout = 0")  # a wait is an error at once
    with repo.transaction(other):
        assert claim(db) is None


# -- limits of connections ---------------------------------------------------------------------------------------------


def test_a_connection_is_used_by_as_many_runs_as_it_allows(
    db: repo.State, make: MakeModule, connections: Callable[..., Connection]
) -> None:
    small = connections("small", 2)
    for name in ("a", "b", "c"):
        ask(db, make(name, source=small))
    ask(db, make("free"))
    assert [claim(db) for _ in range(4)] == ["a", "b", "free", None]
    finish(db, "b")
    assert [claim(db), claim(db)] == ["c", None]


def test_a_connection_is_counted_as_dest_too_and_once_when_it_is_both(
    db: repo.State, make: MakeModule, connections: Callable[..., Connection]
) -> None:
    small = connections("small", 2)
    ask(db, make("both", source=small, dest=small))
    ask(db, make("into", dest=small))
    ask(db, make("out_of", source=small))
    assert [claim(db) for _ in range(3)] == ["both", "into", None]


def test_a_copy_without_a_module_takes_a_slot_and_its_dest(
    db: repo.State, make: MakeModule, connections: Callable[..., Connection]
) -> None:
    small = connections("small", 1)
    copy = repo.start_adhoc_run(
        db, name="copy", dest_id=small.id, dest_table="t", owner="me", triggered_by="cli", dry_run=False
    )
    ask(db, make("into", dest=small))
    ask(db, make("free"))
    assert claim(db, max_runs=1) is None
    assert [claim(db, max_runs=3), claim(db, max_runs=3)] == ["free", None]
    repo.finish_run(db, copy.id, owner="me", status="success")
    assert claim(db, max_runs=3) == "into"


def test_the_dest_a_run_was_claimed_with_stays_taken_when_its_module_is_edited(
    db: repo.State, make: MakeModule, connections: Callable[..., Connection], dw: Connection
) -> None:
    small = connections("small", 1)
    first = make("first", dest=small)
    ask(db, first)
    assert claim(db) == "first"
    repo.update_module(db, first.id, dest_id=dw.id)
    ask(db, make("second", dest=small))
    assert claim(db) is None


def test_a_stream_of_newer_runs_never_starves_one_that_needs_two_connections(
    db: repo.State, make: MakeModule, connections: Callable[..., Connection]
) -> None:
    x, y = connections("x", 1), connections("y", 1)
    ask(db, make("on_x", source=x))
    ask(db, make("on_y", source=y))
    assert [claim(db), claim(db)] == ["on_x", "on_y"]
    ask(db, make("both", source=x, dest=y))
    # Newer ones keep coming on both sides; without the reservation one of them would always hold x or y.
    for number in range(10):
        ask(db, make(f"x{number}", source=x))
        ask(db, make(f"y{number}", source=y))
    assert claim(db) is None
    finish(db, "on_y")
    assert claim(db) is None
    finish(db, "on_x")
    assert [claim(db), claim(db)] == ["both", None]
    finish(db, "both")
    assert [claim(db), claim(db), claim(db)] == ["x0", "y0", None]


def test_an_older_run_that_waits_for_a_connection_does_not_hold_up_the_others(
    db: repo.State, make: MakeModule, connections: Callable[..., Connection]
) -> None:
    x = connections("x", 1)
    for name in ("x0", "x1", "x2"):
        ask(db, make(name, source=x))
    ask(db, make("free"))
    assert [claim(db, max_runs=2), claim(db, max_runs=2)] == ["x0", "free"]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_asked_for_all_of_it_runs_and_no_limit_is_passed(
    db: repo.State, make: MakeModule, connections: Callable[..., Connection], seed: int
) -> None:
    dice = random.Random(seed)
    limits = {name: dice.choice([1, 1, 2, None]) for name in "wxyz"}
    made = {name: connections(name, limit) for name, limit in limits.items()}
    waiting = [(f"m{n}", *dice.sample("wxyz", 2)) for n in range(40)]
    ends = {name: (source, dest) for name, source, dest in waiting}
    running: list[str] = []
    done: list[str] = []
    while len(done) < 40:
        if waiting and dice.random() < 0.5:
            name, source, dest = waiting.pop(0)
            ask(db, make(name, source=made[source], dest=made[dest]))
        elif started := claim(db, max_runs=3):
            running.append(started)
        elif running:
            done.append(running.pop(dice.randrange(len(running))))
            finish(db, done[-1])
        assert len(running) <= 3
        for place, limit in limits.items():
            assert limit is None or sum(place in ends[name] for name in running) <= limit
    assert sorted(done) == sorted(ends)


# -- processes that run what they ask for themselves -------------------------------------------------------------------


def test_a_shells_run_is_started_by_its_own_process_only(db: repo.State, make: MakeModule) -> None:
    run = ask(db, make("mine"), owner="shell", lease_s=20)
    assert claim(db) is None
    assert claim(db, asked_by="another") is None
    assert claim(db, owner="shell", run_id=run.id) == "mine"


def test_an_older_run_of_a_shell_keeps_its_slot_and_its_connections(
    db: repo.State, make: MakeModule, connections: Callable[..., Connection]
) -> None:
    small = connections("small", 1)
    ask(db, make("shells", source=small), owner="shell", lease_s=20)
    ask(db, make("on_small", source=small))
    ask(db, make("free"))
    assert claim(db, max_runs=1) is None
    assert [claim(db, max_runs=2), claim(db, max_runs=2)] == ["free", None]


def test_an_older_run_of_a_shell_keeps_its_module(db: repo.State, make: MakeModule) -> None:
    module = make("a")
    run = ask(db, module, owner="shell", lease_s=20)
    repo.create_group_run(db, add_to_group(db, "g", (module, 1)), triggered_by="manual")
    assert claim(db) is None
    assert claim(db, owner="shell", run_id=run.id) == "a"


def test_a_shell_waits_for_the_servers_older_runs_only_where_a_server_lives(db: repo.State, make: MakeModule) -> None:
    ask(db, make("servers"))
    run = ask(db, make("shells"), owner="shell", lease_s=20)
    let_server_live(db)
    assert claim(db, max_runs=1, owner="shell", run_id=run.id) is None
    repo.release_server(db, "server")
    assert claim(db, max_runs=1, owner="shell", run_id=run.id) == "shells"


def test_a_shell_does_not_wait_for_what_a_pause_holds_back(db: repo.State, make: MakeModule) -> None:
    ask(db, make("servers"))
    run = ask(db, make("shells"), owner="shell", lease_s=20)
    let_server_live(db)
    repo.set_paused(db, True)
    assert claim(db, max_runs=1) is None
    assert claim(db, max_runs=1, owner="shell", run_id=run.id) == "shells"


def test_a_place_is_kept_while_it_is_renewed(db: repo.State, make: MakeModule) -> None:
    run = ask(db, make("a"), owner="shell", lease_s=-1)
    assert repo.renew_place(db, run.id, "another", 20) is False
    assert repo.renew_place(db, run.id, "shell", 20) is True
    assert claim(db, owner="shell", run_id=run.id) == "a"
    assert repo.renew_place(db, run.id, "shell", 20) is False
    assert repo.renew_places(db, "shell", 20) == 0


def test_a_run_whose_process_is_gone_is_closed_and_holds_nothing(db: repo.State, make: MakeModule) -> None:
    gone = ask(db, make("gone"), owner="shell", lease_s=-1)
    ask(db, make("next"))
    assert claim(db, max_runs=1) == "next"
    closed = repo.get_run(db, gone.id)
    assert (closed.status, closed.error_stage, closed.lease_expires_at) == ("error", "claim", None)
    assert "ended" in (closed.error or "")


def test_a_module_can_be_asked_for_again_when_the_process_that_asked_is_gone(db: repo.State, make: MakeModule) -> None:
    module = make("a")
    gone = ask(db, module, owner="shell", lease_s=-1)
    assert ask(db, module).status == "queued"
    assert repo.get_run(db, gone.id).status == "error"


def test_the_caller_may_know_that_a_process_is_gone(db: repo.State, make: MakeModule) -> None:
    gone, alive = (ask(db, make(name), owner=name, lease_s=20) for name in ("gone", "alive"))
    assert repo.close_orphans(db, dead_owner="gone") == 1
    assert [repo.get_run(db, run.id).status for run in (gone, alive)] == ["error", "queued"]


def test_a_queued_run_of_a_deleted_module_is_closed(db: repo.State, make: MakeModule) -> None:
    module = make("a")
    run = ask(db, module)
    repo.delete_module(db, module.id)
    assert claim(db) is None
    closed = repo.get_run(db, run.id)
    assert (closed.status, closed.module, closed.module_id) == ("error", "a", None)
    assert "deleted" in (closed.error or "")


def test_a_run_that_waits_is_cancelled_at_once_and_a_running_one_is_not(db: repo.State, make: MakeModule) -> None:
    run = ask(db, make("a"))
    assert repo.cancel_queued_run(db, run.id) is True
    assert repo.get_run(db, run.id).status == "cancelled"
    assert repo.cancel_queued_run(db, run.id) is False
    second = ask(db, make("b"))
    claim(db)
    assert repo.cancel_queued_run(db, second.id) is False
    assert repo.get_run(db, second.id).status == "running"


# -- pauses and groups -------------------------------------------------------------------------------------------------


def test_a_pause_holds_back_the_servers_runs_until_it_ends(db: repo.State, make: MakeModule) -> None:
    ask(db, make("a"))
    assert repo.is_paused(db) is False
    repo.set_paused(db, True)
    assert repo.is_paused(db) is True
    assert claim(db) is None
    repo.set_paused(db, False)
    assert claim(db) == "a"


def test_the_runs_of_a_paused_group_wait_and_hold_no_place(db: repo.State, make: MakeModule) -> None:
    group_id = add_to_group(db, "g", (make("a"), 1), (make("b"), 2))
    repo.create_group_run(db, group_id, triggered_by="manual")
    ask(db, make("alone"))
    repo.update_group(db, group_id, paused=True)
    assert [claim(db, max_runs=1)] == ["alone"]
    assert claim(db) is None
    repo.update_group(db, group_id, paused=False)
    assert claim(db) == "a"


def test_members_start_in_their_order_and_one_by_one_unless_the_group_says_more(
    db: repo.State, make: MakeModule
) -> None:
    members = [(make("a"), 1), (make("b"), 1), (make("c"), 1), (make("last"), 2)]
    group_id = add_to_group(db, "g", *members, parallel=2)
    repo.create_group_run(db, group_id, triggered_by="manual")
    assert [claim(db) for _ in range(3)] == ["a", "b", None]
    finish(db, "b")
    assert [claim(db), claim(db)] == ["c", None]
    finish(db, "a")
    assert claim(db) is None
    finish(db, "c")
    assert [claim(db), claim(db)] == ["last", None]
    finish(db, "last")
    repo.update_group(db, group_id, parallel=1)
    repo.create_group_run(db, group_id, triggered_by="manual")
    assert [claim(db), claim(db)] == ["a", None]


def test_a_group_goes_on_past_what_failed_or_was_cancelled(db: repo.State, make: MakeModule) -> None:
    group_id = add_to_group(db, "g", (make("a"), 1), (make("b"), 2), (make("c"), 3))
    group_run = repo.create_group_run(db, group_id, triggered_by="manual")
    first, second, _ = repo.list_group_members(db, group_run.id)
    claim(db)
    repo.finish_run(db, first.id, owner="server", status="error", error="no")
    repo.cancel_queued_run(db, second.id)
    assert claim(db) == "c"


def test_a_member_whose_module_is_busy_waits_for_it_and_lets_others_by(db: repo.State, make: MakeModule) -> None:
    module = make("a")
    ask(db, module)
    assert claim(db) == "a"
    repo.create_group_run(db, add_to_group(db, "g", (module, 1)), triggered_by="manual")
    repo.create_group_run(db, add_to_group(db, "h", (module, 1), (make("b"), 2)), triggered_by="manual")
    ask(db, make("alone"))
    assert [claim(db), claim(db)] == ["alone", None]
    finish(db, "a")
    assert [claim(db), claim(db)] == ["a", None]  # once, though two groups wait for it
    finish(db, "a")
    assert claim(db) == "a"
    finish(db, "a")
    assert claim(db) == "b"


def test_groups_do_not_count_each_others_runs(db: repo.State, make: MakeModule) -> None:
    for name in ("g", "h"):
        repo.create_group_run(db, add_to_group(db, name, (make(f"in_{name}"), 1)), triggered_by="manual")
    assert [claim(db), claim(db)] == ["in_g", "in_h"]


# -- several at once ---------------------------------------------------------------------------------------------------


def test_of_many_that_claim_at_once_each_run_is_started_once_and_in_order(
    db: repo.State, path: Path, make: MakeModule
) -> None:
    asked = [ask(db, make(f"m{number}")).id for number in range(40)]
    started: list[int] = []
    errors: list[BaseException] = []

    def take(owner: str) -> None:
        mine = repo.open_state(path)
        try:
            while run := repo.claim_next_run(mine, owner=owner, lease_s=20, max_runs=100):
                started.append(run.id)
        except BaseException as error:
            errors.append(error)
        finally:
            mine.close()

    threads = [threading.Thread(target=take, args=(f"server{n}",)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(started) == asked
    by_time = db.rows("SELECT id FROM run_log ORDER BY started_at, id")
    assert [row["id"] for row in by_time] == asked


def test_a_walk_of_the_queue_costs_some_steps_for_each_that_waits(db: repo.State, make: MakeModule) -> None:
    group_id = add_to_group(db, "g", *((make(f"g{n}"), n + 1) for n in range(200)))
    with repo.transaction(db):
        repo.create_group_run(db, group_id, triggered_by="manual")
        for number in range(800):
            ask(db, make(f"m{number}"))
    repo.update_group(db, group_id, paused=True)
    claimed: list[str | None] = []
    steps = count_steps(db, lambda: claimed.extend(claim(db, max_runs=4) for _ in range(5)))
    assert claimed == ["m0", "m1", "m2", "m3", None]
    assert steps / 5 < 1_000 * STEPS_FOR_EACH
