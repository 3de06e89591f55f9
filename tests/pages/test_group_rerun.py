# A group run that failed is run again from the first member that did not succeed. Starts no runner.
"""`POST /group-runs/{id}/rerun`."""

from collections.abc import Callable

import pytest

from pipekit import repo
from pipekit.models import GroupRun, RunStatus
from tests.pages.site import Site, Visitor
from tests.people import PASSWORD

JSON = {"Accept": "application/json"}
MakeRun = Callable[..., GroupRun]


@pytest.fixture
def make_run(site: Site) -> MakeRun:
    """A group of a, b (both first), c, d, and a group run whose members ended as told."""
    group = repo.create_group(site.db, name="nightly")
    for name, order in (("a", 1), ("b", 1), ("c", 2), ("d", 3)):
        module = site.make_module(name)
        repo.create_member(site.db, group_id=group.id, module_id=module.id, run_order=order)

    def make(**ended: RunStatus) -> GroupRun:
        made = repo.create_group_run(site.db, group.id, triggered_by="manual")
        for run in repo.list_group_members(site.db, made.id):
            if run.module in ended:
                site.db.change(
                    "UPDATE run_log SET status = ?, finished_at = queued_at WHERE id = ?", (ended[run.module], run.id)
                )
        repo.fold_ended_group_runs(site.db)
        return repo.get_group_run(site.db, made.id)

    return make


def names(site: Site, group_run_id: int) -> list[str]:
    return [run.module for run in repo.list_group_members(site.db, group_run_id)]


def test_the_rest_runs_from_the_first_failed_member_on(site: Site, otto: Visitor, make_run: MakeRun) -> None:
    failed = make_run(a="success", b="success", c="error", d="success")
    page = otto.get(f"/group-runs/{failed.id}")
    assert page.texts("#group-run-actions button") == ["Run all again", "Run from c on"]
    answer = otto.post(f"/group-runs/{failed.id}/rerun", headers=JSON).answer
    assert answer.status_code == 202
    assert names(site, answer.json()["group_run_id"]) == ["c", "d"]
    entry = repo.list_audit(site.db)[0]
    assert (entry.user, entry.action, entry.name, entry.detail["again_from"]) == ("otto", "run", "nightly", failed.id)


def test_a_member_beside_a_failed_one_that_succeeded_is_left_out(site: Site, otto: Visitor, make_run: MakeRun) -> None:
    failed = make_run(a="error", b="success", c="cancelled", d="cancelled")
    page = otto.post(f"/group-runs/{failed.id}/rerun", headers={"Accept": "text/html"})
    again = repo.list_group_runs(site.db)[0]
    assert (page.status, page.answer.headers["location"]) == (303, f"/group-runs/{again.id}")
    assert names(site, again.id) == ["a", "c", "d"]


def test_a_verify_that_failed_is_asked_for_again_without_the_load_before_it(
    site: Site, otto: Visitor, make_run: MakeRun
) -> None:
    group = make_run(a="success", b="success", c="success", d="success").group_id or 0
    module = repo.get_module_by_name(site.db, "a")
    repo.create_member(site.db, group_id=group, module_id=module.id, run_order=4, verify=True)
    failed = repo.create_group_run(site.db, group, triggered_by="manual")
    for run in repo.list_group_members(site.db, failed.id):
        status = "error" if run.asked_verify else "success"
        site.db.change("UPDATE run_log SET status = ?, finished_at = queued_at WHERE id = ?", (status, run.id))
    repo.fold_ended_group_runs(site.db)
    assert otto.get(f"/group-runs/{failed.id}").texts("#group-run-live .badge") == ["verify"]
    otto.post(f"/group-runs/{failed.id}/rerun")
    (again,) = repo.list_group_members(site.db, repo.list_group_runs(site.db)[0].id)
    assert (again.module, again.asked_verify is not None) == ("a", True)


def test_members_are_those_of_now(site: Site, make_run: MakeRun, otto: Visitor) -> None:
    failed = make_run(a="success", b="error", c="error", d="success")
    group_id = failed.group_id or 0
    for member in repo.list_members(site.db, group_id):
        if repo.get_module(site.db, member.module_id).name == "b":
            repo.delete_member(site.db, member.id)
    repo.update_module(site.db, repo.get_module_by_name(site.db, "d").id, enabled=False)
    otto.post(f"/group-runs/{failed.id}/rerun")
    assert names(site, repo.list_group_runs(site.db)[0].id) == ["c"]


def test_nothing_failed_is_a_conflict_and_a_whole_run_is_offered(site: Site, otto: Visitor, make_run: MakeRun) -> None:
    good = make_run(a="success", b="success", c="success", d="success")
    assert otto.get(f"/group-runs/{good.id}").texts("#group-run-actions button") == ["Run all again"]
    answer = otto.post(f"/group-runs/{good.id}/rerun", headers=JSON).answer
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "Conflict")


def test_one_that_goes_on_or_is_paused_or_gone_is_not_run_again(site: Site, otto: Visitor, make_run: MakeRun) -> None:
    failed = make_run(a="error", b="error", c="error", d="error")
    alive = make_run()
    for group_run, code in ((alive, "Conflict"), (failed, "GroupBusy")):
        answer = otto.post(f"/group-runs/{group_run.id}/rerun", headers=JSON).answer
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, code)
    repo.cancel_group_run(site.db, alive.id)
    repo.update_group(site.db, failed.group_id or 0, paused=True)
    assert "is paused" in otto.post(f"/group-runs/{failed.id}/rerun", headers={"Accept": "text/html"}).text
    repo.delete_group(site.db, failed.group_id or 0)
    assert otto.post(f"/group-runs/{failed.id}/rerun", headers=JSON).status == 409
    assert not otto.get(f"/group-runs/{failed.id}").has("#group-run-actions button")


def test_the_api_does_the_same_and_viewers_may_not(site: Site, otto: Visitor, vera: Visitor, make_run: MakeRun) -> None:
    failed = make_run(a="success", b="success", c="success", d="error")
    address = f"/api/group-runs/{failed.id}/rerun"
    assert vera.client.post(address, auth=("vera", PASSWORD)).status_code == 403
    answer = otto.client.post(address, auth=("otto", PASSWORD))
    assert answer.status_code == 202
    assert names(site, answer.json()["group_run_id"]) == ["d"]
    assert vera.post(f"/group-runs/{failed.id}/rerun").status == 403
