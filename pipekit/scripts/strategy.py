# From what a folder's SQL does after a load to a merge strategy. Knows statements and tables, no shell and no YAML.
"""`find_merges`: which tables a load feeds, how, and what no strategy can say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipekit.models import Strategy
from pipekit.scripts.columns import Mapped, map_columns, map_direct
from pipekit.scripts.sqlreader import list_names, list_output_names, read_tokens
from pipekit.scripts.statements import Statement

Ddl = Mapping[str, tuple[str, ...]]


@dataclass(slots=True)
class Merge:
    """How a load reaches its dest table. With `problems` the module is written disabled."""

    table: str
    strategy: Strategy = "append"
    key: tuple[str, ...] = ()
    columns: Mapped = field(default_factory=Mapped)
    hooks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def is_same_table(one: str, other: str) -> bool:
    """Whether two names mean the same table: case aside, and a schema counts only where both have one."""
    left, right = one.lower().split("."), other.lower().split(".")
    depth = min(len(left), len(right))
    return left[-depth:] == right[-depth:]


def find_merges(
    table: str, query: str, clear: bool, before: Sequence[Statement], after: Sequence[Statement], ddl: Ddl
) -> list[Merge]:
    """What becomes of the rows that a load puts into a table: one merge for each table that they reach."""
    feeds = [item for item in after if item.verb in ("insert", "merge") and _reads(item, table)]
    names = list_output_names(query)
    if not feeds:
        return [_read_direct(table, names, clear, before, after, ddl)]
    dests: dict[str, list[Statement]] = {}
    for feed in feeds:
        known = next((name for name in dests if is_same_table(name, feed.table)), feed.table)
        dests.setdefault(known, []).append(feed)
    merges = [_read_merge(dest, table, names, items, after, ddl) for dest, items in dests.items()]
    _sort_rest(merges, table, feeds, before, after)
    return merges


def _reads(statement: Statement, table: str) -> bool:
    return any(is_same_table(other, table) for other in statement.others)


def _is_on(statement: Statement, table: str) -> bool:
    return bool(statement.table) and is_same_table(statement.table, table)


# -- straight into the dest --------------------------------------------------------------------------------------------


def _read_direct(
    table: str,
    names: tuple[str, ...] | None,
    clear: bool,
    before: Sequence[Statement],
    after: Sequence[Statement],
    ddl: Ddl,
) -> Merge:
    """jrunner fills the dest itself: cleared first is `full`, rows deleted by value first is `incremental`."""
    merge = Merge(table=table, columns=map_direct(names, find_columns(ddl, table)))
    if clear or any(item.verb == "empty" and _is_on(item, table) for item in before):
        merge.strategy = "full"
    for item in before:
        if item.verb == "delete" and _is_on(item, table) and merge.strategy != "full":
            _read_delete(merge, item, item.columns)
        elif not (_is_on(item, table) and item.verb in ("empty", "delete")) and is_change(item):
            merge.problems.append(f"runs before the load, which no module can: {_short(item)}")
    merge.hooks += [item.text for item in after if is_change(item)]
    return merge


def _read_delete(merge: Merge, item: Statement, key: tuple[str, ...] | None) -> None:
    if not key:
        merge.problems.append(f"deletes by a condition that no merge key expresses: {_short(item)}")
        return
    merge.strategy, merge.key = "incremental", key
    if not item.others:
        told = ", ".join(key)
        merge.notes.append(f"deletes by value; taken for incremental by {told}: every {told} that comes is reloaded")


# -- by way of a staging table -----------------------------------------------------------------------------------------


def _read_merge(
    dest: str,
    staging: str,
    names: tuple[str, ...] | None,
    feeds: Sequence[Statement],
    after: Sequence[Statement],
    ddl: Ddl,
) -> Merge:
    merge = Merge(table=dest)
    feed = feeds[0]
    if len(feeds) > 1:
        merge.problems.append(f"inserts into {dest} more than once")
    if feed.problem:
        merge.problems.append(f"the {feed.verb} into {dest} is more than a strategy can say: {feed.problem}")
    if feed.verb == "merge" or feed.conflict:
        _read_upsert(merge, feed)
    else:
        others = [item for item in after if _is_on(item, dest) and item is not feed]
        _read_strategy(merge, feed, others, staging)
    if feed.verb == "merge":
        items = feed.columns or ("*",)
        feed = Statement(verb="insert", text=feed.text, table=dest, columns=feed.columns, items=items)
    merge.columns = map_columns(names, find_columns(ddl, staging), feed, find_columns(ddl, dest))
    return merge


def _read_upsert(merge: Merge, feed: Statement) -> None:
    """One statement that updates and inserts."""
    merge.strategy, merge.key = "upsert", feed.key or ()
    if feed.conflict == "nothing":
        merge.problems.append("leaves rows alone that are there (DO NOTHING), which no strategy does")
    if not feed.key:
        merge.problems.append(f"updates and inserts by a key that the statement does not name: {_short(feed)}")
    elif feed.conflict != "replace":
        _check_sets(merge, feed.sets, feed)


def _check_sets(merge: Merge, sets: Sequence[str], feed: Statement) -> None:
    """An upsert sets every column that comes; a script that leaves some alone does something else."""
    inserted = [name.lower() for name in feed.columns or ()]
    spared = [name for name in inserted if name not in {item.lower() for item in (*sets, *merge.key)}]
    if spared:
        merge.problems.append(f"inserts {', '.join(spared)} but does not update it, which upsert does")


def _read_strategy(merge: Merge, feed: Statement, others: Sequence[Statement], staging: str) -> None:
    """The strategy from what happens to the dest beside its insert."""
    deletes = [item for item in others if item.verb == "delete"]
    updates = [item for item in others if item.verb == "update" and _reads(item, staging)]
    if any(item.verb == "empty" for item in others):
        merge.strategy = "full"
    elif deletes:
        for item in deletes:
            _read_delete(merge, item, item.key if item.others else item.columns)
    elif updates:
        _read_update(merge, updates[0], feed)
    elif feed.key:
        merge.problems.append("inserts only keys that are not there yet, which no strategy does")
    if feed.key and not updates and merge.strategy != "append":
        merge.problems.append("inserts only keys that are not there yet, after deleting others")


def _read_update(merge: Merge, update: Statement, feed: Statement) -> None:
    merge.strategy, merge.key = "upsert", update.key or ()
    if not update.key or not feed.key or {k.lower() for k in update.key} != {k.lower() for k in feed.key}:
        merge.problems.append("updates and inserts, but not by one and the same key")
    if update.problem:
        merge.problems.append(f"the update of {merge.table} is more than a strategy can say: {update.problem}")
    _check_sets(merge, update.sets, feed)


def _sort_rest(
    merges: list[Merge],
    staging: str,
    feeds: Sequence[Statement],
    before: Sequence[Statement],
    after: Sequence[Statement],
) -> None:
    """Everything else: what is about staging is Pipekit's business, what comes after the last insert is a hook."""
    last = max(i for i, item in enumerate(after) if any(item is feed for feed in feeds))
    merge = merges[-1]
    for place, item in [*((-1, item) for item in before), *enumerate(after)]:
        is_about_dest = any(_is_on(item, m.table) for m in merges)
        taken = is_about_dest and (item.verb in ("empty", "delete", "insert", "merge") or _reads(item, staging))
        if any(item is feed for feed in feeds) or not is_change(item) or (taken and 0 <= place < last):
            continue
        if _is_on(item, staging) or _is_clearing(item, staging):
            if item.verb not in ("empty", "other"):
                merge.problems.append(f"changes the rows in {staging}, which no module does: {_short(item)}")
        elif _names(item, staging, [m.table for m in merges]):
            merge.problems.append(f"needs {staging}, which the module does not fill: {_short(item)}")
        elif place < last:
            merge.problems.append(f"runs before the merge, which no module can: {_short(item)}")
        else:
            merge.hooks.append(item.text)


def _is_clearing(item: Statement, staging: str) -> bool:
    words = [token.key for token in read_tokens(item.text)]
    return words[:1] in (["drop"], ["analyze"], ["vacuum"]) and _names(item, staging, [])


def _names(item: Statement, table: str, others: Sequence[str]) -> bool:
    """Whether a statement mentions a table; a bare name that fits one of the others as well is theirs."""
    names = list_names(item.text)
    bare = table.rpartition(".")[2].lower()
    is_shared = any(other.rpartition(".")[2].lower() == bare for other in others)
    return table.lower() in names or (bare in names and not is_shared)


def is_change(item: Statement) -> bool:
    """Whether a statement may change something; `SELECT f()` may, a look at a table does not."""
    if item.verb in ("session", "create"):
        return False
    words = [token.key for token in read_tokens(item.text)]
    return words[:1] != ["select"] or "from" not in words


def find_columns(ddl: Ddl, table: str) -> tuple[str, ...] | None:
    """A table's columns by the folder's own CREATE TABLE."""
    return next((columns for name, columns in ddl.items() if is_same_table(name, table)), None)


def _short(item: Statement) -> str:
    text = " ".join(item.text.split())
    return f"`{text[:100]}{'...' if len(text) > 100 else ''}`"
