# Modules in the state database. Knows no driver, and nothing of how a module runs: leases are in leases.py.
"""Create, find, change and delete modules."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from pipekit.errors import Conflict, Invalid
from pipekit.fields import list_fields, pick, settle
from pipekit.models import KEYED, MODULE_NAME, RESERVED_MODULE_NAMES, Column, Guards, Module, ModuleFields, parse_key
from pipekit.models.deleting import find_deleting_problem
from pipekit.models.expecting import find_expect_problem
from pipekit.repo.connections import get_connection
from pipekit.repo.names import check_fields, check_text, check_told, get_row, get_row_by_name, unique
from pipekit.repo.state import State, transaction

_FIELDS = ("source_id", "dest_id", *(f.own for f in list_fields(ModuleFields)))
# What one module may hold of several things, so that its pages stay pages; texts have a length of their own.
MOST_COLUMNS = 2_000
LONGEST_COLUMNS = 1_000_000
LONGEST_KEY = 20_000
MOST_PARTS = 50
LONGEST_SQL_IN_ALL = 500_000


def create_module(
    db: State, *, name: str, source_id: int, dest_id: int, source_query: str, dest_table: str, **options: Any
) -> Module:
    """Makes a module. Options are the other fields of `ModuleFields`, with the same defaults.

    `merge_key` may also be a string (`a, b`), `guards` a mapping. Raises Invalid (with `field`), NotFound for a
    connection that is not there, NameTaken.
    """
    check_fields(options, _FIELDS)
    module = Module(
        id=0,
        name=name,
        source_id=source_id,
        dest_id=dest_id,
        source_query=source_query,
        dest_table=dest_table,
        **_as_fields(options),
    )
    _check(module)
    with transaction(db), unique(f"There is a module named {name!r} already."):
        _check_connections(db, module)
        return get_module(db, db.insert("module", _as_values(module)))


def update_module(db: State, module_id: int, **changes: Any) -> Module:
    """Changes some fields of a module; a run under way keeps what it read. Raises as `create_module`."""
    check_fields(changes, _FIELDS)
    with transaction(db):
        before = get_module(db, module_id)
        module = replace(before, **_as_fields(changes))
        _check(module, before)
        _check_connections(db, module)
        with unique(f"There is a module named {module.name!r} already."):
            db.update("module", module_id, _as_values(module))
        if module.source_query != before.source_query:
            check_parts(db, module_id)
        return get_module(db, module_id)


def check_parts(db: State, module_id: int) -> None:
    """Raises Invalid when a module has too many watermarks or hooks, or they and its query are too long together."""
    row = db.row(
        """
        SELECT (SELECT count(*) FROM watermark w WHERE w.module_id = m.id) AS watermarks,
               (SELECT count(*) FROM hook h WHERE h.module_id = m.id) AS hooks,
               length(source_query)
               + (SELECT coalesce(sum(length(resolver_sql) + coalesce(length(default_value), 0)), 0)
                  FROM watermark w WHERE w.module_id = m.id)
               + (SELECT coalesce(sum(length(sql)), 0) FROM hook h WHERE h.module_id = m.id) AS characters
        FROM module m WHERE id = ?
        """,
        (module_id,),
    )
    assert row is not None
    for what in ("watermarks", "hooks"):
        if row[what] > MOST_PARTS:
            raise Invalid(f"A module has at most {MOST_PARTS} {what}.")
    if row["characters"] > LONGEST_SQL_IN_ALL:
        told = f"at most {LONGEST_SQL_IN_ALL:,} characters together; these have {row['characters']:,}"
        raise Invalid(f"The query of a module, its watermarks and its hooks have {told}.")


def delete_module(db: State, module_id: int) -> None:
    """Deletes a module with its watermarks and hooks; its runs stay. Raises Conflict while it runs."""
    with transaction(db):
        module = get_module(db, module_id)
        if module.running:
            raise Conflict(f"The module {module.name!r} is running.", hint="Wait for the run or cancel it.")
        db.change("DELETE FROM module WHERE id = ?", (module_id,))


def get_module(db: State, module_id: int) -> Module:
    """The module of this id; raises NotFound."""
    return Module.from_row(get_row(db, "module", "module", module_id))


def get_module_by_name(db: State, name: str) -> Module:
    """The module of this name, letter case aside; raises NotFound."""
    return Module.from_row(get_row_by_name(db, "module", "module", name))


def find_module_by_name(db: State, name: str) -> Module | None:
    """The module of this name, letter case aside, or None."""
    row = db.row("SELECT * FROM module WHERE name = ?", (name,))
    return Module.from_row(row) if row else None


def list_modules(db: State) -> list[Module]:
    """Every module by name."""
    return [Module.from_row(row) for row in db.rows("SELECT * FROM module ORDER BY name")]


def find_usual_kinds(db: State) -> tuple[str, ...]:
    """The kinds of source and dest that most modules have; none where there is no module."""
    row = db.row(
        "SELECT s.driver AS source, d.driver AS dest FROM module AS m JOIN connection AS s ON s.id = m.source_id"
        " JOIN connection AS d ON d.id = m.dest_id GROUP BY 1, 2 ORDER BY count(*) DESC LIMIT 1"
    )
    return (row["source"], row["dest"]) if row else ()


def _as_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the record holds them."""
    given = settle(options, ModuleFields)
    if isinstance(given.get("merge_key", ()), str | None):
        given["merge_key"] = parse_key(given["merge_key"])
    if "merge_key" in given:
        given["merge_key"] = tuple(given["merge_key"])
    if "columns" in given:
        given["columns"] = tuple(given["columns"] or ())
    if isinstance(given.get("guards", Guards()), Mapping | None):
        given["guards"] = Guards(**(given["guards"] or {}))
    return given


def _as_values(module: Module) -> dict[str, Any]:
    """A record as its row holds it; the lease is left out."""
    values = {name: getattr(module, name) for name in _FIELDS if name not in ("merge_key", "columns", "guards")}
    values["merge_key"] = module.key_text or None
    values["columns_json"] = _columns_json(module.columns)
    values["guards_json"] = json.dumps(asdict(module.guards))
    return values


def _columns_json(columns: tuple[Column, ...]) -> str | None:
    return json.dumps([asdict(column) for column in columns], ensure_ascii=False) if columns else None


def _check_connections(db: State, module: Module) -> None:
    get_connection(db, module.source_id)
    get_connection(db, module.dest_id)


def _check(module: Module, before: Module | None = None) -> None:
    """What is wrong with a module; lengths of what it had `before` are let be: earlier versions did not mind."""
    _check_module_name(module.name)
    check_text(module.source_query, "A source query", field="source_query")
    check_text(module.dest_table, "A dest table", field="dest_table")
    _check_merge(module)
    given = pick(module, ModuleFields)
    if before is not None:
        given = {name: value for name, value in given.items() if value != getattr(before, name)}
    check_told(given, ModuleFields)
    check_told(asdict(module.guards), Guards, field="guards")
    field, problem = find_expect_problem(module)
    if problem:
        raise Invalid(problem, field=field)
    if "columns" in given:
        _check_columns(module.columns)
    if "merge_key" in given and len(module.key_text) > LONGEST_KEY:
        raise Invalid(f"A merge key has at most {LONGEST_KEY:,} characters.", field="merge_key")


def _check_columns(columns: tuple[Column, ...]) -> None:
    if len(columns) > MOST_COLUMNS:
        raise Invalid(f"A module maps at most {MOST_COLUMNS:,} columns; these are {len(columns):,}.", field="columns")
    for column in columns:
        check_told(asdict(column), Column, field="columns")
    size = len(_columns_json(columns) or "")
    if size > LONGEST_COLUMNS:
        raise Invalid(f"The names and types of {len(columns):,} columns are {size:,} characters.", field="columns")


def _check_module_name(name: str) -> None:
    if not MODULE_NAME.match(name):
        raise Invalid(
            f"{name!r} cannot be a module's name.",
            field="name",
            hint="Use 1 to 60 letters, digits, _ . or -, the first a letter, a digit or _.",
        )
    if name.lower() in RESERVED_MODULE_NAMES:
        raise Invalid(f"{name!r} is reserved: Pipekit's own table in the dest has this name.", field="name")


def _check_merge(module: Module) -> None:
    if any(not part.strip() for part in module.merge_key):
        raise Invalid("A column of a merge key has a name.", field="merge_key")
    if module.merge_strategy in KEYED and not module.merge_key:
        raise Invalid(f"The strategy {module.merge_strategy} needs a merge key.", field="merge_key")
    field, problem = find_deleting_problem(module)
    if problem:
        raise Invalid(problem, field=field)
