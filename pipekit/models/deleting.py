# What a module may say of rows that are gone from its source. Knows the record, not how they are found.
"""`find_deleting_problem`, for files, forms and the API."""

from pipekit.models.definitions import ModuleFields

DELETING = ("incremental", "upsert")


def find_deleting_problem(module: ModuleFields) -> tuple[str, str]:
    """The field in the way and a sentence on it; two empty texts where all is well."""
    if module.deletes == "none":
        return "", ""
    if module.merge_strategy not in DELETING:
        told = {"full": "it leaves no row that is gone", "snapshot": "it ends the version of a key that is gone"}.get(
            module.merge_strategy, "it has no key to know a row by"
        )
        return "deletes", f"`deletes` is for incremental and upsert; the strategy is {module.merge_strategy}: {told}."
    if module.deletes == "mark" and not module.deletes_column.strip():
        return "deletes_column", "`deletes: mark` needs the dest column that gets the time: `deleting: {column: ...}`."
    if module.deletes == "hard" and module.deletes_column.strip():
        return "deletes_column", "`deletes: hard` marks nothing: leave the column out, or say `deletes: mark`."
    if (module.deletes_days is None) != (not module.deletes_day_column.strip()):
        return "deletes_days", "`deleting` needs both `days` and `day_column`, or neither."
    return "", ""
