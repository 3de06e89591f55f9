# How the versions of the first Pipekit called the columns of their tables. Data, and looking a value up; no meaning.
"""`Table`: rows by what a column is for, whatever it was called, and which columns nobody has asked for."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipekit.repo.first_state import FirstState

# The first one that a table has counts.
NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "driver": {
        "kind": ("kind", "name"),
        "jar": ("jar", "jar_path", "jar_file"),
        "class": ("class", "class_name", "driver_class", "java_class"),
        "url_template": ("url_template",),
    },
    "connection": {
        "name": ("name",),
        "driver": ("driver", "driver_kind", "kind", "driver_id"),
        "jdbc_url": ("jdbc_url", "url"),
        "username": ("username", "user_name", "user"),
        "password": ("password", "password_ref", "password_reference", "password_var", "secret"),
    },
    "module": {
        "name": ("name",),
        "source": ("source_id", "source_connection_id", "source_connection", "source_conn_id", "source"),
        "dest": ("dest_id", "dest_connection_id", "dest_connection", "dest_conn_id", "dest"),
        "query": ("source_query", "source_sql", "query"),
        "schema": ("dest_schema",),
        "table": ("dest_table", "table_name"),
        "strategy": ("merge_strategy", "strategy"),
        "key": ("merge_key", "merge_keys"),
        "columns": ("columns_json", "columns"),
        "enabled": ("enabled", "is_enabled", "active"),
        "trim": ("trim", "trim_strings"),
        "notes": ("notes", "description", "comment"),
    },
    "watermark": {
        "module": ("module_id", "module"),
        "name": ("name",),
        "connection": ("connection_id", "connection", "conn_id"),
        "sql": ("resolver_sql", "resolver", "sql"),
        "default": ("default_value", "default"),
    },
    "hook": {
        "module": ("module_id", "module"),
        "connection": ("connection_id", "connection"),
        "sql": ("sql", "hook_sql", "statement"),
        "order": ("run_order", "position", "sort_order"),
        "on": ("run_on", "run_when"),
        "enabled": ("enabled", "is_enabled"),
    },
    "grp": {"name": ("name",), "enabled": ("enabled", "is_enabled")},
    "group_member": {
        "group": ("group_id", "grp_id", "group", "grp"),
        "module": ("module_id", "module"),
        "order": ("run_order", "position", "sort_order"),
        "enabled": ("enabled", "is_enabled"),
    },
    "schedule": {
        "group": ("group_id", "grp_id", "group", "grp"),
        "cron": ("cron", "cron_expr", "cron_expression", "expression"),
        "enabled": ("enabled", "is_enabled"),
    },
    "run_log": {
        "module": ("module_id", "module"),
        "module_name": ("module_name", "module"),
        "group_run": ("group_run_id", "group_run"),
        "status": ("status", "state"),
        "triggered_by": ("triggered_by", "trigger"),
        "started_at": ("started_at", "start_time", "started"),
        "finished_at": ("finished_at", "ended_at", "end_time", "finished"),
        "rows": ("rows_read", "rows_staged", "rows_inserted", "row_count", "rows_moved", "rows"),
        "error": ("error", "error_text", "error_message"),
    },
    "group_run": {"group": ("group_id", "grp_id", "group", "grp")},
}
# What a row refers to, where its column is called something else: by the foreign key, and by a part of its name.
_TARGETS = {"source": "connection", "dest": "connection", "connection": "connection", "module": "module"}
_TARGETS |= {"group": "grp", "group_run": "group_run", "driver": "driver"}
# Of what the program noted for itself, nothing is lost.
_OWN = ("id", "created_at", "updated_at", "running", "locked_at", "locked_by", "last_fired_at", "next_run_at", "fence")
_OWN_PARTS = ("lease", "heartbeat", "running_", "last_run")


@dataclass(frozen=True, slots=True)
class Item:
    """A row as it lies there, and its values by what they are for; None for what the table has not."""

    row: Mapping[str, Any]
    values: Mapping[str, Any]

    @property
    def id(self) -> Any:
        """What other rows refer to it by."""
        return self.row.get("id")

    def text(self, name: str) -> str:
        """A value as text without blanks around it."""
        value = self.values.get(name)
        return "" if value is None else str(value).strip()

    def flag(self, name: str) -> bool:
        """A switch, which is on where there is none."""
        return self.text(name).lower() not in ("0", "false", "no", "off")


class Table:
    """One table of the file."""

    def __init__(self, state: FirstState, name: str) -> None:
        self.name = name
        self._state = state
        self._columns = {use: self._find(use, names) for use, names in NAMES[name].items()}
        self._unread: Counter[str] = Counter()

    def _find(self, use: str, names: tuple[str, ...]) -> str:
        known = {column.lower(): column for column in self._state.list_columns(self.name)}
        found = next((known[name] for name in names if name in known), "")
        target = _TARGETS.get(use)
        if found or not target:
            return found
        keys = self._state.list_references(self.name, target)
        alike = [key for key in keys if use in key.lower() or use == target]
        return alike[0] if alike else ""

    def has(self, use: str) -> bool:
        """Whether the table has a column for this."""
        return bool(self._columns.get(use))

    def each(self) -> Iterator[Item]:
        """The rows."""
        read = {*self._columns.values()}
        for row in self._state.each(self.name, "id"):
            self._unread.update(name for name, value in row.items() if name not in read and value not in (None, "", 0))
            yield Item(row, {use: row.get(column) for use, column in self._columns.items() if column})

    def list_unread(self) -> list[str]:
        """Columns that hold something of which nothing was read, in words."""
        return [
            f"{self.name}.{name}: {count} {'row has' if count == 1 else 'rows have'} a value"
            for name, count in sorted(self._unread.items())
            if name.lower() not in _OWN and not any(part in name.lower() for part in _OWN_PARTS)
        ]


class Index:
    """Rows of a table by what refers to them: an id, or a name."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}

    def add(self, item: Item, name: str) -> None:
        """From now on the row is found under this name."""
        self._found.setdefault(f"name {item.text('name').lower()}", name)
        self._found[f"id {item.id}"] = name

    def find(self, value: Any) -> str:
        """The name of what a value refers to; `""` where it refers to nothing that is there."""
        text = str(value).strip()
        return self._found.get(f"id {text}") or self._found.get(f"name {text.lower()}", "")
