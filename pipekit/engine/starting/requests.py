# Asking the server for runs and telling it to stop them, with who asked. Knows the state database only.
"""What a person starts from a page or through the API: checked, queued and noted in one transaction."""

from collections.abc import Mapping, Sequence

from pipekit import repo
from pipekit.engine.definition import check_overrides, read_definition
from pipekit.engine.previews import drop_kept, read_merged
from pipekit.engine.starting.cancel import cancel_group_run, cancel_run
from pipekit.engine.variables import fill_definition
from pipekit.engine.watermarks.literals import check_literals
from pipekit.errors import Conflict, Invalid
from pipekit.models import Group, GroupMember, GroupRun, Module, Run, Verify


def ask_run(
    db: repo.State,
    module: Module,
    *,
    user: str,
    triggered_by: str,
    dry_run: bool = False,
    preview: bool = False,
    merges: int | None = None,
    verify: bool = False,
    overrides: Mapping[str, str] | None = None,
    literals_only: bool = True,
) -> Run:
    """Puts a run of a module into the server's queue; a disabled module may be run by hand.

    `merges` is a preview whose staging is merged, with the values it had; with `verify` the dest is held against the
    source, and nothing is loaded. Raises ModuleBusy when a run of it is alive
    or waits, Conflict for a preview that may not be merged (any more), Invalid for an override of a watermark it does
    not have, or of one that is more than a literal, which is for those who may write SQL, and for a run that is to be
    two things at once.
    """
    if sum((dry_run, preview, verify, merges is not None)) > 1 or (merges is not None and overrides):
        raise Invalid(
            "A dry run, a preview, a verify and the merge of a preview (by its own values) exclude each other."
        )
    with repo.transaction(db):
        definition = fill_definition(read_definition(db, module))
        if merges is not None:
            overrides = read_merged(db, definition, merges).values
        else:
            check_overrides(definition, overrides or {})
            if literals_only:
                check_literals(module.source_query, overrides or {})
        run = repo.enqueue_run(
            db,
            module.id,
            triggered_by=triggered_by,
            dry_run=dry_run,
            preview=preview,
            merges=merges,
            verify=Verify() if verify else None,
            overrides=overrides,
        )
        detail = {"run_id": run.id, "dry_run": dry_run, "watermarks": dict(overrides or {})}
        detail |= {"verify": True} if verify else {}
        detail |= {"preview": True} if preview else {"merges": merges} if merges is not None else {}
        repo.note_audit(db, user=user, action="run", kind="module", name=module.name, detail=detail)
        return run


def ask_group_run(db: repo.State, group: Group, *, user: str, dry_run: bool = False) -> GroupRun:
    """Puts a run of each of a group's enabled members into the queue. Raises GroupBusy, Conflict while it is paused."""
    if group.paused:
        raise Conflict(f"The group {group.name!r} is paused.", hint="Let it go on first.")
    with repo.transaction(db):
        group_run = repo.create_group_run(db, group.id, triggered_by="manual", dry_run=dry_run)
        detail = {"group_run_id": group_run.id, "dry_run": dry_run}
        repo.note_audit(db, user=user, action="run", kind="group", name=group.name, detail=detail)
        return group_run


def ask_group_rerun(db: repo.State, group_run: GroupRun, *, user: str) -> GroupRun:
    """Puts the rest of a failed group run into the queue again, from the first member that did not succeed.

    Its members are those of now: the ones that failed then, those that come later, and not the ones beside a failed
    one that succeeded. Raises Conflict when nothing of it failed or its group is gone, GroupBusy, Conflict when paused.
    """
    if group_run.group_id is None:
        raise Conflict(f"The group {group_run.group_name!r} is gone.", hint="Run its modules by themselves.")
    group = repo.get_group(db, group_run.group_id)
    if group.paused:
        raise Conflict(f"The group {group.name!r} is paused.", hint="Let it go on first.")
    if group_run.status == "running":
        raise Conflict(f"Group run {group_run.id} still goes on.", hint="Wait for its end.")
    with repo.transaction(db):
        runs = repo.list_group_members(db, group_run.id)
        rest = list_rest(repo.list_members(db, group.id), runs)
        if not rest:
            message = f"Nothing failed in group run {group_run.id} that is still in the group {group.name!r}."
            raise Conflict(message, hint="Run the whole group instead.")
        dry_run = all(run.dry_run for run in runs)
        again = repo.create_group_run(db, group.id, triggered_by="manual", dry_run=dry_run, only=rest)
        detail = {"group_run_id": again.id, "again_from": group_run.id, "dry_run": dry_run}
        repo.note_audit(db, user=user, action="run", kind="group", name=group.name, detail=detail)
        return again


def list_rest(members: Sequence[GroupMember], runs: Sequence[Run]) -> list[int]:
    """The ids of a group's members from the first one on whose run failed, was cancelled or never started."""
    good = {_find_place(run) for run in runs if run.status in ("success", "dry_run")}
    bad = {_find_place(run) for run in runs} - good
    first = min((member.run_order for member in members if (member.module_id, member.verify) in bad), default=None)
    if first is None:
        return []
    return [
        member.id
        for member in members
        if member.run_order > first or (member.run_order == first and (member.module_id, member.verify) not in good)
    ]


def _find_place(run: Run) -> tuple[int | None, bool]:
    """A member is its module, and what is done with it."""
    return run.module_id, run.asked_verify is not None


def ask_drop(db: repo.State, run: Run, *, user: str) -> None:
    """Lets a preview's staging be removed. Raises NotFound for a run that is none, Conflict when it is not kept."""
    with repo.transaction(db):
        drop_kept(db, run)
        repo.note_audit(db, user=user, action="drop", kind="preview", name=run.module, detail={"run_id": run.id})


def ask_cancel(db: repo.State, run: Run, *, user: str) -> bool:
    """Ends a run that waits, asks one that runs to stop; False, and nothing noted, when it has ended."""
    with repo.transaction(db):
        is_asked = cancel_run(db, run.id, user)
        if is_asked:
            detail = {"run_id": run.id}
            repo.note_audit(db, user=user, action="cancel", kind="run", name=run.module, detail=detail)
        return is_asked


def ask_group_cancel(db: repo.State, group_run: GroupRun, *, user: str) -> bool:
    """The same for a group run and all its runs."""
    with repo.transaction(db):
        is_asked = cancel_group_run(db, group_run.id, user)
        if is_asked:
            detail = {"group_run_id": group_run.id}
            repo.note_audit(db, user=user, action="cancel", kind="group run", name=group_run.group_name, detail=detail)
        return is_asked


def ask_pause(db: repo.State, paused: bool, *, user: str) -> None:
    """Holds back, or lets go on, everything that the server would start."""
    with repo.transaction(db):
        if repo.is_paused(db) != paused:
            repo.set_paused(db, paused)
            repo.note_audit(db, user=user, action="pause" if paused else "resume", kind="program", name="pipekit")


def ask_group_pause(db: repo.State, group: Group, paused: bool, *, user: str) -> Group:
    """Holds back, or lets go on, what one group would start."""
    with repo.transaction(db):
        if group.paused != paused:
            action = "pause" if paused else "resume"
            repo.note_audit(db, user=user, action=action, kind="group", name=group.name)
        return repo.update_group(db, group.id, paused=paused)
