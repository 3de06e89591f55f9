# Running a module's hooks after the merge, or after a failure before it. Knows SQL text only.
"""The hook step."""

from pipekit.engine.context import RunContext
from pipekit.errors import PipekitError, RunFailed
from pipekit.models import Hook
from pipekit.runner_contract import Statement


def run_hooks(context: RunContext, merged: None = None) -> None:
    """The hook step, after a merge. Raises RunFailed (stage `hook`) as `run_fitting` does."""
    run_fitting(context, failed=False)


def run_fitting(context: RunContext, *, failed: bool) -> None:
    """Runs the hooks that fit, in run_order; one that fails turns the outcome, so that failure hooks after it run.

    Raises RunFailed (stage `hook`) for the first failing hook once all have had their turn.
    """
    first: RunFailed | None = None
    for hook in context.hooks:
        if not _fits(hook, failed or first is not None):
            continue
        try:
            _run(context, hook)
        except PipekitError as error:
            context.record.log(f"hook {hook.run_order} failed: {error.message}\n")
            first = first or RunFailed(f"Hook {hook.run_order}: {error.message}", stage="hook", hint=error.hint)
            context.renew_runner()
    if first:
        raise first


def has_hooks(hooks: tuple[Hook, ...], failed: bool) -> bool:
    """Whether any hook would run after this outcome."""
    return any(_fits(hook, failed) for hook in hooks)


def _fits(hook: Hook, failed: bool) -> bool:
    return hook.run_on == "always" or hook.run_on == ("failure" if failed else "success")


def _run(context: RunContext, hook: Hook) -> None:
    context.record.log(f"hook {hook.run_order} ({hook.run_on})\n")
    # Each hook by itself, so that statements that refuse a transaction (VACUUM) work too.
    context.runner.execute(context.dest, [Statement(sql=hook.sql)], autocommit=True)
