# Whether what a preview has staged may still be merged, as far as the state knows. Knows no dest.
"""`read_merged`, `drop_kept` and `sign_definition`."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from pipekit import repo
from pipekit.engine.definition import Definition
from pipekit.errors import Conflict
from pipekit.fields import pick
from pipekit.models import ConnectionFields, HookFields, ModuleFields, Preview, Run, WatermarkFields

# What may change without another merge.
_NO_MATTER = ("name", "enabled", "notes", "retries", "silence_timeout_s", "run_timeout_s")
_AGAIN = "Preview it again."
_NOT_KEPT = "What run {} has staged is not kept any more: merged, dropped, or its time is over."


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """A preview whose staging a run merges: its run, and what it has found."""

    run: Run
    preview: Preview

    @property
    def values(self) -> Mapping[str, str]:
        """The watermarks' values that its rows were read with."""
        return self.run.watermark_values


def read_merged(db: repo.State, definition: Definition, run_id: int) -> Merged:
    """The preview of this run. Raises NotFound, and Conflict where it is another module's or may not be merged."""
    run, preview = repo.get_run(db, run_id), repo.get_preview(db, run_id)
    name = definition.module.name
    if run.module_id != definition.module.id:
        raise Conflict(f"Run {run_id} is no preview of the module {name!r}, but of {run.module!r}.")
    if run.status != "dry_run":
        raise Conflict(f"Run {run_id} ended as {run.status}; there is nothing to merge.", hint=_AGAIN)
    if preview.kept_until is None or preview.kept_until < repo.now():
        raise Conflict(_NOT_KEPT.format(run_id), hint=_AGAIN)
    if preview.definition != sign_definition(definition):
        raise Conflict(f"The module {name!r} was changed after run {run_id} had looked.", hint=_AGAIN)
    if (since := repo.find_merged_since(db, run)) is not None:
        raise Conflict(f"Run {since} has merged into {run.dest_table} after run {run_id} had looked.", hint=_AGAIN)
    return Merged(run=run, preview=preview)


def sign_definition(definition: Definition) -> str:
    """A digest of everything that decides what a run of a module reads and merges."""
    module = {name: value for name, value in pick(definition.module, ModuleFields).items() if name not in _NO_MATTER}
    said = (
        module,
        [pick(connection, ConnectionFields) for connection in (definition.source, definition.dest)],
        [
            (pick(mark, WatermarkFields), pick(connection, ConnectionFields))
            for mark, connection in definition.watermarks
        ],
        [pick(hook, HookFields) for hook in definition.hooks],
    )
    return sha256(repr(said).encode(errors="surrogatepass")).hexdigest()


def drop_kept(db: repo.State, run: Run) -> None:
    """Keeps a preview's staging no longer: who settles what is left, a server within seconds, removes it.

    Raises NotFound for a run that is no preview, Conflict when its staging is not kept.
    """
    repo.get_preview(db, run.id)
    if not repo.release_preview(db, run.id, left=True):
        raise Conflict(_NOT_KEPT.format(run.id))
