# Bringing an earlier version of a module back. Knows versions and definition files, no page.
"""`restore` and `write_restored`."""

from pipekit import repo
from pipekit.definitions.apply import apply_text
from pipekit.definitions.export import dump_yaml
from pipekit.definitions.versions import write_definition
from pipekit.repo import State
from pipekit.repo import versions as rows


def restore(db: State, module_id: int, number: int, *, user: str) -> bool:
    """Makes a module say again what a version of it says, under the name it has now; False where it says so already.

    That is a new version, and the audit trail has what changed. Raises NotFound, and what `apply_text` raises: a
    connection that the version names may be gone.
    """
    with repo.transaction(db):
        old, text = write_definition(db, module_id), write_restored(db, module_id, number)
        apply_text(db, text, user=user, file=f"version {number}")
        new = write_definition(db, module_id)
        return old != new and rows.add_version(db, module_id, user=user, definition=new, restores=number)


def write_restored(db: State, module_id: int, number: int) -> str:
    """What a version says, under the name that the module has now. Raises NotFound."""
    import yaml

    module, version = repo.get_module(db, module_id), rows.get_version(db, module_id, number)
    (told,) = yaml.safe_load(version.definition or "")["modules"].values()
    return dump_yaml({"modules": {module.name: told}})
