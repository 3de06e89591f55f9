# What stands around a dest in an SQLite file, and what a merge makes of it: triggers, unique keys, children. No I/O.
"""Triggers and keys as SQLite's own tables tell them; rows that refer to rows that go; the look after a merge.

SQLite keeps foreign keys only in a session that asks for it. Pipekit's does not: a dest may be filled before or after
the tables it has to do with. So nothing is deleted along, and what would be left without its row is counted.
"""

from collections.abc import Callable, Sequence

from pipekit.drivers.bags import Bags
from pipekit.drivers.base import MergePlan, TableColumn, TableName
from pipekit.drivers.facts import Action, Event, Firing, Look, Reference
from pipekit.drivers.sqlite.catalogue import read_words
from pipekit.drivers.sqlite.comparing import read_keys
from pipekit.drivers.sqlite.typemap import bare_type
from pipekit.drivers.vanishing import VanishingText, build_gone
from pipekit.runner_contract import Query

Quote = Callable[[str], str]

_EVENTS: dict[str, Event] = {"insert": "insert", "update": "update", "delete": "delete"}

_TRIGGERS = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = {table} COLLATE NOCASE ORDER BY 1"
)
_KEYS = """SELECT l.name, i.name, i.coll, l.partial
FROM pragma_index_list({table}, 'main') l JOIN pragma_index_xinfo(l.name, 'main') i
WHERE l."unique" AND i.key ORDER BY l.origin <> 'pk', l.seq DESC, i.seqno"""
_PRIMARY = "SELECT name FROM pragma_table_info({table}, 'main') WHERE pk > 0 ORDER BY pk"
_NAMES = "SELECT name FROM pragma_table_xinfo({table}, 'main')"
_REFERENCES = """SELECT m.name, f.id, f."from", f."to", f.on_delete, f.on_update
FROM sqlite_master m JOIN pragma_foreign_key_list(m.name, 'main') f
WHERE m.type = 'table' AND f."table" = {table} COLLATE NOCASE ORDER BY m.name, f.id, f.seq"""


def list_firing(query: Query, literal: str) -> tuple[Firing, ...]:
    """The triggers of a table, each with the one event it is for."""
    return tuple(
        Firing(name=f"trigger {name}", events=_find_events(sql or ""))
        for name, sql in query(_TRIGGERS.format(table=literal)).rows
    )


def _find_events(create_sql: str) -> frozenset[Event]:
    """The first word that can be one: before it stand only the trigger's name and when it fires.

    A table with a trigger for it is not truncated either: each row is deleted.
    """
    words = [word.text.lower() for word in read_words(create_sql) if not word.quoted]
    event: Event = next((_EVENTS[word] for word in words if word in _EVENTS), "insert")
    return frozenset({"delete", "truncate"}) if event == "delete" else frozenset({event})


def list_keys(query: Query, literal: str, columns: Sequence[TableColumn]) -> tuple[tuple[tuple[str, ...], ...], bool]:
    """Unique keys that compare as their columns do, the primary key first; and whether nothing else is unique.

    An INTEGER PRIMARY KEY has no index of its own.
    """
    collations = {c.name: c.type[len(bare_type(c.type)) :].upper().split()[-1:] or ["BINARY"] for c in columns}
    primary = tuple(str(row[0]) for row in query(_PRIMARY.format(table=literal)).rows)
    found: dict[str, list[str | None]] = {}
    other = set()
    for index, column, collation, partial in query(_KEYS.format(table=literal)).rows:
        found.setdefault(str(index), []).append(column)
        if partial == "1" or column is None or [str(collation).upper()] != collations.get(column):
            other.add(str(index))
    plain = [tuple(map(str, names)) for index, names in found.items() if index not in other]
    keys = tuple(dict.fromkeys(([primary] if primary else []) + plain))
    return keys, len(keys) == 1 and not other


def list_references(query: Query, name: str, literal: str) -> tuple[Reference, ...]:
    """Foreign keys that point at a table; one that names no columns means the primary key."""
    rows = query(_REFERENCES.format(table=literal)).rows
    if not rows:
        return ()
    primary = [str(row[0]) for row in query(_PRIMARY.format(table=literal)).rows]
    names = {str(row[0]).lower(): str(row[0]) for row in query(_NAMES.format(table=literal)).rows}
    found: dict[tuple[str, str], list[tuple[str | None, ...]]] = {}
    for row in rows:
        found.setdefault((str(row[0]), str(row[1])), []).append(row)
    references = []
    for (child, _), parts in found.items():
        named = (
            [names.get(str(part[3]).lower()) for part in parts] if parts[0][3] is not None else primary[: len(parts)]
        )
        if len(named) < len(parts) or None in named:
            continue  # it points at what is not there: such a foreign key holds nothing
        references.append(
            Reference(
                child=TableName(schema=None, name=child),
                columns=tuple(str(part[2]) for part in parts),
                referred=tuple(map(str, named)),
                on_delete=_read_action(parts[0][4]),
                on_update=_read_action(parts[0][5]),
                is_own=child.lower() == name.lower(),
                enforced=False,
            )
        )
    return tuple(references)


def _read_action(text: str | None) -> Action:
    found = (text or "").lower()
    return found if found in ("restrict", "cascade", "set null", "set default") else "no action"  # type: ignore[return-value]


class AroundText:
    """The counts and looks of one merge; `quote` quotes an identifier, `literal` a text constant.

    Rows are found by IN: SQLite makes a list of its own for it, where EXISTS would compare each row with each.
    """

    def __init__(self, plan: MergePlan, quote: Quote, literal: Quote) -> None:
        self._plan = plan
        self._quote = quote
        self._literal = literal
        self._values = read_keys(plan, quote)
        self._dest = f"{quote(plan.dest.name)} AS dest"
        self._staging = f"{quote(plan.staging.name)} AS staging"

    def build_children(self, reference: Reference) -> str:
        """Rows of a child that refer to a value which the dest no longer has after the merge.

        A row that is deleted and inserted again under the same value has cost nothing. A value that the query does not
        feed does not come again: the database would make up another.
        """
        plan = self._plan
        if plan.strategy == "full" and reference.is_own:
            return ""
        if plan.gone:
            conditions = [build_gone(plan, self._build_known(), "dest", self._quote)]
        else:
            conditions = [] if plan.strategy == "full" else [self._build_scope("dest")]
        if {column.dest.name for column in plan.columns}.issuperset(reference.referred):
            conditions.append(f"NOT coalesce({self._build_staged_with(reference.referred, 'dest')}, 0)")
        known = f"coalesce({self._build_scope('child')}, 0)"
        others = f" AND {'' if plan.gone else 'NOT '}{known}" if reference.is_own else ""
        return self._build_count(reference, f"FROM {self._dest}{_where(conditions)}", others)

    def build_vanishing(self) -> VanishingText:
        """Of the dest rows whose key is gone, in a plan that is about them."""
        return VanishingText(
            dest=self._dest,
            alias="dest",
            known=self._build_known(),
            delete=lambda where: f"DELETE FROM {self._dest}\nWHERE {where}",
            update=lambda sets, where: f"UPDATE OR ABORT {self._dest} SET {sets}\nWHERE {where}",
        )

    def build_index(self) -> tuple[str, ...]:
        """For keys in which NULLs match, and for versions: these comparisons use an index, and no list as `IN` does."""
        if not self._plan.history and not (self._plan.gone and self._plan.null_keys):
            return ()
        name, table = self._quote(f"{self._plan.staging.name}.key"), self._quote(self._plan.staging.name)
        return (f"CREATE INDEX {name} ON {table} ({self._values.build_list(self._plan.key)})",)

    def _build_known(self) -> str:
        """Where a key with a NULL is among those that are looked through, IN says NULL of one it has not found."""
        return f"coalesce({self._build_scope('dest')}, 0)"

    def build_moved(self, reference: Reference) -> str:
        """Rows of a child that refer to a row which the merge gives another value in a referred column."""
        match = self._build_match("dest", "=")
        fed = {column.dest.name for column in self._plan.columns}
        moved = [self._quote(name) for name in reference.referred if name in fed]
        differs = " OR ".join(f"dest.{name} IS NOT staging.{name}" for name in moved)
        return self._build_count(reference, f"FROM {self._dest} JOIN {self._staging} ON {match} WHERE {differs}")

    def build_look(self) -> Look:
        """`full`: all rows. Keyed: those of the staged keys, also for `append` where a unique key is fed."""
        return self.build_bags().build_look(both=self._plan.strategy != "append" or bool(self._plan.row_key))

    def build_present(self) -> str:
        """The dest's rows that are equal to a staged one."""
        return self.build_bags().build_present()

    def _build_count(self, reference: Reference, gone: str, others: str = "") -> str:
        child, values = self._quote(reference.child.name), self._list(reference.referred, "dest")
        found = f"{self._tuple(reference.columns, 'child')} IN (SELECT {values} {gone})"
        return f"SELECT count(*) FROM {child} AS child\nWHERE {found}{others}"

    def _build_scope(self, alias: str) -> str:
        """Whether a row's merge key was staged."""
        if not self._plan.null_keys:
            return self._build_staged_with(self._plan.key, alias)
        return f"EXISTS (SELECT 1 FROM {self._staging} WHERE {self._build_match(alias, 'IS')})"

    def _build_match(self, alias: str, equal: str) -> str:
        build = self._values.build
        return " AND ".join(f"{build(name, alias)} {equal} {build(name, 'staging')}" for name in self._plan.key)

    def _build_staged_with(self, key: Sequence[str], alias: str) -> str:
        staged = self._values.build_list(key, "staging")
        return f"{self._values.build_tuple(key, alias)} IN (SELECT {staged} FROM {self._staging})"

    def _list(self, names: Sequence[str], alias: str) -> str:
        return ", ".join(f"{alias}.{self._quote(name)}" for name in names)

    def _tuple(self, names: Sequence[str], alias: str) -> str:
        return f"({self._list(names, alias)})" if len(names) > 1 else self._list(names, alias)

    def build_bags(self) -> Bags:
        """Staged rows against the dest's, of a keyed plan those of the staged keys.

        By `quote`, in which a value of another type is another value.
        """
        plan = self._plan
        first = plan.key or plan.row_key
        names = [c.dest.name for c in sorted(plan.columns, key=lambda column: column.dest.name not in first)]
        scope = ""
        if plan.strategy in ("incremental", "upsert"):
            scope = self._build_scope("dest")
        elif plan.strategy == "append" and plan.row_key:
            scope = self._build_staged_with(plan.row_key, "dest")
        return Bags(
            names=names,
            staged=[f"quote(staging.{self._quote(name)})" for name in names],
            held=[f"quote(dest.{self._quote(name)})" for name in names],
            staging=self._staging,
            dest=self._dest,
            scope=scope,
            keys=len(first),
            literal=self._literal,
        )


def read_quoted(text: str | None) -> str | None:
    """What `quote` has made of a value, without its quotes; bytes stay as they are written."""
    if text == "NULL":
        return None
    return text[1:-1].replace("''", "'") if text and text.startswith("'") else text


def _where(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
