# Defects that are planted one at a time, each with the tests that must catch it. Plants nothing.
"""`MUTANTS`: a mutant whose text is not in its file is an error, so that the list stays true."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """In `path` (below pipekit/) `old`, which stands there once, becomes `new`; `tests` are pytest's own words."""

    name: str
    path: str
    old: str
    new: str
    tests: Sequence[str]


def _runs(words: str) -> tuple[str, ...]:
    return ("tests/databases/test_runs.py", "-k", f"PostgreSQL and ({words})")


MUTANTS = (
    # The merge is one transaction.
    Mutant(
        "merge without its transaction",
        "drivers/postgresql/session.py",
        "        if autocommit:\n            counts:",
        "        if True:\n            counts:",
        _runs("repeated_key_rolls_back"),
    ),
    Mutant(
        "ledger row outside of the transaction",
        "engine/running/merge.py",
        "    run = context.runner.go_on if plan.merge.filled else context.runner.execute\n",
        "    context.runner.execute(context.dest, statements[:2])\n    statements = statements[2:]\n"
        "    run = context.runner.go_on if plan.merge.filled else context.runner.execute\n",
        ("tests/faults/test_matrix.py", "-k", "kill_runner and merge"),
    ),
    Mutant(
        "merge past the ledger",
        "engine/running/merge.py",
        "    expect = [_IN_LEDGER, expect_claim()]",
        "    expect = [expect_claim()]",
        ("tests/databases/test_staging.py", "-k", "shut_out and not derby"),
    ),
    Mutant(
        "fence ignored",
        "drivers/postgresql/ledger.py",
        "AND fence > {int(entry.fence)})",
        "AND fence > {int(entry.fence)} AND false)",
        ("tests/databases/test_postgresql_merge.py", "-k", "older"),
    ),
    Mutant(
        "rows by position",
        "drivers/postgresql/keyed.py",
        'return f"INSERT INTO {quote_table(plan.dest)}{alias} ({names}){overriding}"',
        'return f"INSERT INTO {quote_table(plan.dest)}{alias}{overriding}"',
        _runs("another_order"),
    ),
    Mutant(
        "staging not dropped",
        "engine/planning/plan.py",
        "return statements if driver.commits_ddl else (*statements, *drops, build_release_sql(driver, claim))",
        "return statements if driver.commits_ddl else (*statements, build_release_sql(driver, claim))",
        _runs("leaves_a_log_and_nothing_else"),
    ),
    Mutant(
        "staging of another run merged",
        "engine/running/merge.py",
        "    expect = [_IN_LEDGER, expect_claim()]",
        "    expect = [_IN_LEDGER]",
        ("tests/databases/test_staging.py", "-k", "taken_over_merges_nothing and not derby"),
    ),
    Mutant(
        "replaced staging merged",
        "engine/running/merge.py",
        'expect.append(Expect(names=("mark",), equals=1, message=REPLACED))',
        "pass",
        ("tests/databases/test_staging.py", "-k", "somebody_replaced"),
    ),
    # Checks between staging and merge.
    Mutant(
        "rows read and staged not compared",
        "engine/running/checks.py",
        "    if read != arrived:\n",
        "    if False:\n",
        ("tests/databases/test_jrunner_runs.py", "-k", "short"),
    ),
    Mutant(
        "counts of the merge unchecked",
        "engine/running/merge.py",
        "    return [_expect_count(merge, staged)] if adds_up and context.module.guards.count_truth else []",
        "    return []",
        _runs("repeated_key_rolls_back"),
    ),
    Mutant(
        "an empty source empties",
        "engine/running/checks.py",
        "    if guards.empty_source and not loaded.rows_staged and old:",
        "    if False:",
        _runs("empty_source_does_not"),
    ),
    Mutant(
        "a dest may shrink",
        "engine/running/checks.py",
        "    if loaded.rows_staged < old * guards.shrink:",
        "    if False:",
        _runs("shrink"),
    ),
    Mutant(
        "keys with a NULL",
        "engine/running/checks.py",
        '        if int(count or 0):\n            message = f"{count} staged rows have a NULL',
        '        if False:\n            message = f"{count} staged rows have a NULL',
        _runs("null_merge_key_is_refused"),
    ),
    Mutant(
        "keys that come twice",
        "engine/running/checks.py",
        '        if int(count or 0):\n            message = f"{count} merge keys',
        '        if False:\n            message = f"{count} merge keys',
        _runs("staged_twice"),
    ),
    Mutant(
        "exactness off",
        "engine/running/checks.py",
        "        if found.rows:\n            row, value",
        "        if False:\n            row, value",
        ("tests/databases/test_exactness.py", "-k", "conversion_that_loses"),
    ),
    Mutant(
        "expect not asked",
        "engine/guarding/expected.py",
        "    if not broken:\n",
        "    if True:\n",
        ("tests/databases/test_expect.py",),
    ),
    Mutant(
        "columns changed under way",
        "runner/child.py",
        "    if names != planned:\n",
        "    if False:\n",
        ("tests/databases/test_drift.py", "-k", "behind_the_plan"),
    ),
    Mutant(
        "keys of another source delete",
        "engine/guarding/gone.py",
        "    if not known:\n",
        "    if False:\n",
        ("tests/databases/test_deletes.py", "-k", "too_much_or_does_not_fit"),
    ),
    Mutant(
        "no keys delete all",
        "engine/guarding/gone.py",
        "    if context.module.guards.empty_source and not (keys or loaded).rows_staged and going:",
        "    if False:",
        ("tests/databases/test_deletes.py", "-k", "too_much_or_does_not_fit"),
    ),
    # What is read.
    Mutant(
        "snapshot before the lock",
        "drivers/postgresql/late.py",
        '    return f"{_ALONE};\\nEXPLAIN (COSTS off)\\n{query}\\n;\\n{_HELD}" if has_plan(query) else _HELD',
        "    return _HELD",
        ("tests/databases/test_postgresql_reloaded.py",),
    ),
    Mutant(
        "rebuilt tables not looked for",
        "drivers/postgresql/transactions.py",
        "        if held and (late := self.link.fetch(build_late_sql(held))):",
        "        if False and (late := []):",
        ("tests/databases/test_postgresql_reloaded.py",),
    ),
    # Ends that are not the planned ones.
    Mutant(
        "no lease",
        "repo/leases.py",
        '        WHERE id = :id AND running = 0\n        """,\n        {"id": module_id, "owner": owner, "expires"',
        '        WHERE id = :id\n        """,\n        {"id": module_id, "owner": owner, "expires"',
        ("tests/repo/test_leases.py",),
    ),
    Mutant(
        "recovery believes the record",
        "engine/recovering/recover.py",
        "        told = outcome.merge_state\n",
        "        told = run.merge_state\n",
        ("tests/faults/test_matrix.py", "-k", "kill_command and (commit or hook)"),
    ),
    Mutant(
        "a lost answer is a failure",
        "engine/running/failure.py",
        '    if stage != "merge" or (certain and not commits_itself):\n',
        "    if True:\n",
        ("tests/faults/test_matrix.py", "-k", "commit"),
    ),
    Mutant(
        "sessions of the dead live on",
        "engine/recovering/ledger.py",
        "    while sql and time.monotonic() < deadline:\n",
        "    while False:\n",
        ("tests/faults/test_recovery.py", "tests/faults/test_limits.py"),
    ),
    Mutant(
        "cancel lost",
        "engine/running/lease.py",
        '                    self.stop("cancel")\n',
        "                    pass\n",
        ("tests/faults/test_limits.py", "-k", "cancelling"),
    ),
    Mutant(
        "a cancelled run goes on",
        "runner/native.py",
        "        if self._stop.is_set():\n            told = Cancelled()\n        elif self.deadline",
        "        if self.deadline",
        ("tests/faults/test_limits.py", "-k", "cancelling"),
    ),
    Mutant(
        "a merge is tried again",
        "engine/running/corridor.py",
        "            value = _pass(context, before_merge, context.overrides)\n            break\n",
        "            value = _pass(context, before_merge, context.overrides)\n"
        "            if not (context.run.dry_run or context.run.preview):\n"
        "                _pass(context, CHANGING[:1], value)\n"
        "                _pass(context, CHANGING[2:], value)\n"
        '                return "success"\n'
        "            break\n",
        ("tests/faults/test_matrix.py", "-k", "reset_dest"),
    ),
    # Trust.
    Mutant(
        "preview merges",
        "engine/running/corridor.py",
        "    if context.run.dry_run or context.run.preview:\n",
        "    if context.run.dry_run:\n",
        ("tests/databases/test_preview.py", "-k", "merged_whatever"),
    ),
    Mutant(
        "a preview is merged whatever the merge counts",
        "engine/running/merge.py",
        "    if context.merged is None or merge.fires:\n",
        "    if True:\n",
        ("tests/databases/test_preview.py", "-k", "changed_since_the_look"),
    ),
    Mutant(
        "undo without its own check",
        "drivers/postgresql/undoing.py",
        "        yield self._look(NO_LONGER, self._find_missing(1))\n",
        "        yield from ()\n",
        ("tests/databases/test_undo.py", "-k", "put_over"),
    ),
    Mutant(
        "undo does not look at what it has put back",
        "drivers/postgresql/undoing.py",
        "        yield self._look(NOT_BACK, self._find_missing(-1))\n",
        "",
        ("tests/databases/test_undo.py",),
    ),
    Mutant(
        "verify sums what exchanged values leave as it is",
        "drivers/postgresql/digests.py",
        "pg_catalog.sum({self._mix('i.r')})",
        "pg_catalog.bit_xor(i.r)",
        ("tests/databases/test_verifying.py", "-k", "exchanged"),
    ),
    Mutant(
        "verify hashes one column less",
        "drivers/postgresql/digests.py",
        "        row = self._hash([cell.get(side) for cell in self.cells])\n",
        "        row = self._hash([cell.get(side) for cell in self.cells[:-1]])\n",
        ("tests/databases/test_verifying.py", "-k", "apart_by_hashes"),
    ),
    Mutant(
        "versions whose keys are gone stay",
        "engine/guarding/gone.py",
        "    if share is None:\n        return\n",
        "    return\n",
        ("tests/databases/test_history.py", "-k", "guards"),
    ),
    # Secrets and people.
    Mutant(
        "secrets not masked",
        "masking.py",
        "        return pattern.sub(MASK, text) if pattern else text\n",
        "        return text\n",
        ("tests/faults/test_matrix.py", "-k", "flood_log"),
    ),
    Mutant(
        "forms of other sites",
        "web/kit/sessions.py",
        "    if request.method not in SAFE_METHODS and await read_csrf(request) != session.csrf:",
        "    if False:",
        ("tests/pages/test_access.py",),
    ),
    Mutant(
        "every role may all",
        "http/auth.py",
        "    if not user.may(role):\n",
        "    if False:\n",
        ("tests/pages/test_access.py",),
    ),
    Mutant(
        "values that end the text they stand in",
        "engine/watermarks/literals.py",
        "        if problem := _find_problem(query, match, value):\n",
        '        if problem := "":\n',
        ("tests/unit/test_literals.py",),
    ),
    # Time.
    Mutant(
        "nothing is caught up",
        "server/scheduler.py",
        "    if catch_up:\n        latest = late.pop()",
        "    if False:\n        latest = late.pop()",
        ("tests/unit/test_scheduler.py",),
    ),
    Mutant(
        "a group runs twice at once",
        "server/scheduler.py",
        '    held = "paused" if candidate.paused else _find_overlap(db, schedule.group_id)\n',
        '    held = "paused" if candidate.paused else ""\n',
        ("tests/repo/test_schedules.py", "tests/faults/test_schedule_year.py"),
    ),
    Mutant(
        "a reused pid is the owner",
        "engine/recovering/owner.py",
        '    return "alive" if _started(pid) == started else "dead"\n',
        '    return "alive" if _started(pid) else "dead"\n',
        ("tests/unit/test_owner.py",),
    ),
)
