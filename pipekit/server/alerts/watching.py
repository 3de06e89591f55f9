# What happened that somebody must know. Knows rules, runs and times; sends nothing.
"""`Watching`: looks at what ended and at what did not happen, and notes what there is to tell."""

import hashlib
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, tzinfo

from pipekit import repo
from pipekit.cron import get_zone
from pipekit.errors import NotFound
from pipekit.mends import find_mend
from pipekit.models import Run
from pipekit.models.alerts import AlertEvent, Rule
from pipekit.repo import alerts, overview
from pipekit.repo.alert_channels import list_rules
from pipekit.server.alerts.quiet import find_end
from pipekit.server.lateness import Late, list_late

LATE_EVERY_S = 20.0
MOST_AT_ONCE = 500
# After a channel was told of a cause, more of the same cause waits so long, and is told together.
SAME_CAUSE = timedelta(hours=1)
FAILURES: tuple[AlertEvent, ...] = ("failed", "guard", "drift")
_VARYING = re.compile(r"\d+|\"[^\"]*\"|'[^']*'|`[^`]*`")


class Watching:
    """Keeps nothing but when it last looked for what is late: what was noted lies in the state database."""

    def __init__(self, clock: Callable[[], datetime] = repo.wall_clock) -> None:
        self._clock = clock
        self._looked = float("-inf")

    def look(self, db: repo.State) -> None:
        """Notes what there is to tell of what ended since the last look, and from time to time of what is late."""
        rules = list_rules(db, in_force=True)
        for ended in alerts.list_ended(db, MOST_AT_ONCE):
            if ended.run_id is not None:
                with repo.transaction(db):
                    self._note_run(db, rules, ended.run_id)
                    alerts.forget_ended(db, ended.id)
        if time.monotonic() - self._looked >= LATE_EVERY_S and any("late" in rule.events for rule in rules):
            self._looked = time.monotonic()
            with repo.transaction(db):
                self._note_late(db, rules)

    # -- runs ----------------------------------------------------------------------------------------------------------

    def _note_run(self, db: repo.State, rules: Iterable[Rule], run_id: int) -> None:
        try:
            run = repo.get_run(db, run_id)
        except NotFound:
            return
        if run.module_id is None or run.dry_run or run.preview:
            return
        streak = alerts.get_streak(db, run.module_id, run.id)
        groups = {group.id for group in repo.list_groups_of(db, run.module_id)}
        for rule in rules:
            if rule.module_id not in (None, run.module_id) or not (rule.group_id is None or rule.group_id in groups):
                continue
            if "ended" in rule.events:
                self._add_ended(db, rule, run)
            if run.undoes is not None or run.asked_verify or run.alteration:
                self._note_by_itself(db, rule, run)
            elif run.status == "error":
                self._note_failure(db, rule, run, streak)
            elif run.status == "success":
                self._note_success(db, rule, run, streak)

    def _add_ended(self, db: repo.State, rule: Rule, run: Run) -> None:
        facts = {**_tell_run(db, run), "rows_read": run.rows_read, "rows_inserted": run.rows_inserted}
        facts |= {"rows_updated": run.rows_updated, "rows_deleted": run.rows_deleted}
        alerts.add_alert(db, rule, event="ended", subject=_name(run), facts=facts, due_at=self._clock())

    def _note_failure(self, db: repo.State, rule: Rule, run: Run, streak: alerts.Streak) -> None:
        """Once for a streak of failures, however long it lasts."""
        event = _find_event(run, rule)
        if event is None or streak.failures < rule.after_failures:
            return
        last = alerts.find_last_alert(db, rule.id, _name(run), FAILURES)
        if last and last.facts["run_id"] > streak.good_id:
            return
        cause = find_cause(run)
        facts = {**_tell_run(db, run), "failures": streak.failures, "since": streak.since, "good_at": streak.good_at}
        facts |= {"stage": run.error_stage, "mend": find_mend(f"{run.error or ''} {run.hint or ''}")}
        facts["checks"] = [check.name for check in run.checks if check.ok is False]
        due_at = self._find_due(db, rule, cause)
        alerts.add_alert(db, rule, event=event, subject=_name(run), facts=facts, due_at=due_at, cause=cause)

    def _note_by_itself(self, db: repo.State, rule: Rule, run: Run) -> None:
        """What compares or takes back brings no rows: its failure is told, and nothing follows from its success."""
        if run.status != "error" or "failed" not in rule.events:
            return
        cause = find_cause(run)
        facts = {**_tell_run(db, run), "doing": _name_doing(run), "failures": 1}
        facts |= {"stage": run.error_stage, "mend": find_mend(f"{run.error or ''} {run.hint or ''}"), "good_at": None}
        due_at = self._find_due(db, rule, cause)
        alerts.add_alert(db, rule, event="failed", subject=f"run:{run.id}", facts=facts, due_at=due_at, cause=cause)

    def _note_success(self, db: repo.State, rule: Rule, run: Run, streak: alerts.Streak) -> None:
        last = alerts.find_last_alert(db, rule.id, _name(run), FAILURES)
        if last is None or last.facts["run_id"] <= streak.good_id:
            return
        if last.told_at is None:
            alerts.drop_alert(db, last.id)
        elif "recovered" in rule.events:
            facts = {**_tell_run(db, run), "failures": streak.failures, "since": streak.since}
            due_at = self._find_due(db, rule)
            alerts.add_alert(db, rule, event="recovered", subject=_name(run), facts=facts, due_at=due_at)

    def _find_due(self, db: repo.State, rule: Rule, cause: str = "") -> datetime:
        now = self._clock()
        told = alerts.find_told_cause(db, rule.channel_id, cause, now - SAME_CAUSE) if cause else None
        due_at = max(now, datetime.fromisoformat(told) + SAME_CAUSE) if told else now
        return find_end(rule, due_at, get_zone())

    # -- what did not happen -------------------------------------------------------------------------------------------

    def _note_late(self, db: repo.State, rules: Iterable[Rule]) -> None:
        now, zone = self._clock(), get_zone()
        late = {f"group:{item.group_id}": item for item in _list_late_groups(db, now, zone)}
        stale = {f"module:{item.module_id}": item for item in list_stale(db, now)}
        for rule in rules:
            if "late" not in rule.events:
                continue
            for subject, item in late.items():
                if rule.module_id is None and rule.group_id in (None, item.group_id) and _is_news(item, rule):
                    self._add_late(db, rule, subject, _tell_group(item))
            for subject, promise in stale.items():
                if self._covers(db, rule, promise.module_id):
                    self._add_late(db, rule, subject, _tell_promise(promise))
            self._note_caught_up(db, rule, {*late, *stale})

    def _covers(self, db: repo.State, rule: Rule, module_id: int) -> bool:
        if rule.group_id is not None:
            return any(group.id == rule.group_id for group in repo.list_groups_of(db, module_id))
        return rule.module_id in (None, module_id)

    def _add_late(self, db: repo.State, rule: Rule, subject: str, facts: dict[str, object]) -> None:
        last = alerts.find_last_alert(db, rule.id, subject, ("late",))
        if last is None or last.facts["due_at"] != facts["due_at"]:
            due_at = self._find_due(db, rule)
            alerts.add_alert(db, rule, event="late", subject=subject, facts=facts, due_at=due_at)

    def _note_caught_up(self, db: repo.State, rule: Rule, late: set[str]) -> None:
        for last in alerts.list_open_late(db, rule.id):
            if last.subject in late:
                continue
            if last.told_at is None:
                alerts.drop_alert(db, last.id)
            else:
                facts = {**last.facts, "was_late": True}
                is_told = "recovered" in rule.events
                due_at = self._find_due(db, rule)
                told = alerts.add_alert(db, rule, event="recovered", subject=last.subject, facts=facts, due_at=due_at)
                if not is_told:
                    alerts.note_told(db, [told.id])


def list_stale(db: repo.State, now: datetime) -> list[alerts.Promise]:
    """The modules whose last good run is longer ago than they promise; one that never was good has promised nothing."""
    return [
        item
        for item in alerts.list_promises(db)
        if item.good_at and now - datetime.fromisoformat(item.good_at) > timedelta(seconds=item.within_s)
    ]


def _list_late_groups(db: repo.State, now: datetime, zone: tzinfo) -> list[Late]:
    return list_late(overview.list_schedule_states(db), now, zone)


def _is_news(late: Late, rule: Rule) -> bool:
    """A group that is late because it failed was told of as a failure."""
    return late.why != "failed" or "failed" not in rule.events


def _tell_group(late: Late) -> dict[str, object]:
    return {"group": late.group, "due_at": late.due_at, "good_at": late.good_at, "why": late.why}


def _tell_promise(promise: alerts.Promise) -> dict[str, object]:
    assert promise.good_at is not None
    due_at = datetime.fromisoformat(promise.good_at) + timedelta(seconds=promise.within_s)
    facts = {"module": promise.module, "module_id": promise.module_id, "good_at": promise.good_at}
    return {**facts, "within_s": promise.within_s, "due_at": due_at.astimezone(UTC).isoformat(timespec="seconds")}


def _name(run: Run) -> str:
    return f"module:{run.module_id}"


def _tell_run(db: repo.State, run: Run) -> dict[str, object]:
    group = repo.get_group_run(db, run.group_run_id).group_name if run.group_run_id else None
    facts = {"run_id": run.id, "module": run.module, "module_id": run.module_id, "status": run.status}
    return {**facts, "group": group, "group_run_id": run.group_run_id, "finished_at": run.finished_at}


def _find_event(run: Run, rule: Rule) -> AlertEvent | None:
    """What a rule calls a failure; None where it does not ask for its kind."""
    is_guard = run.error_stage == "check" or any(check.ok is False for check in run.checks)
    kinds: tuple[tuple[AlertEvent, bool], ...] = (("drift", is_drift(run)), ("guard", is_guard), ("failed", True))
    return next((event for event, is_so in kinds if is_so and event in rule.events), None)


def is_drift(run: Run) -> bool:
    """Whether a run failed since the columns are not those that were expected."""
    return any(check.ok is False and check.name.startswith(("drift", "columns")) for check in run.checks)


def find_cause(run: Run) -> str:
    """A mark that failures of one cause share: the words of their errors without names, numbers and values."""
    text = _VARYING.sub("?", (run.error or "").replace(run.module, "?"))
    return hashlib.sha256(f"{run.error_stage}\n{text}".encode(errors="replace")).hexdigest()[:16]


def _name_doing(run: Run) -> str:
    """What a run does that brings no rows."""
    if run.alteration:
        return "change of a column"
    return "undo" if run.undoes is not None else "verify"
