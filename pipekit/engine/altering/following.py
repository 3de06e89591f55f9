# What modules say of a dest column, and how it follows when the column is changed. Knows the state database only.
"""`settle_alterations` brings modules into step with the dests that runs have changed.

A run writes down what it is to change before it does; here that is carried over once it is known that it did. So a
crash between the dest and us is mended by whoever looks next: another run, or the server.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipekit import repo
from pipekit.drivers import get_driver
from pipekit.engine.planning.naming import next_column_id
from pipekit.engine.variables import fill_table
from pipekit.errors import PipekitError
from pipekit.logs import get_logger
from pipekit.models import Alteration, Column, Connection, Module, Run
from pipekit.models.listed import join_listed, split_listed

_LOG = get_logger("columns")

# Fields of a module that name one column of the dest, and those that are lists of names.
_ONE = ("deletes_column", "deletes_day_column", "history_from", "history_to", "history_current")
_LISTED = {"expect_not_null": "names", "expect_unique": "keys", "expect_accepted": "values"}
# Those whose text is SQL: what stands in it nobody changes.
_TEXTS = {"deletes_where": "`deleting: {where: ...}`", "expect_sql": "`expect: {sql: ...}`"}


def settle_alterations(db: repo.State) -> list[Run]:
    """Lets the modules follow the changes that are known to be made; the runs that made them."""
    settled = []
    for run in repo.list_unsettled_changes(db):
        try:
            with repo.transaction(db):
                if repo.settle_change(db, run.id) and run.merge_state == "merged":
                    _follow(db, run)
                    settled.append(run)
        except PipekitError as error:
            _LOG.error("run %d changed a column, and the module %s cannot follow: %s", run.id, run.module, error)
    return settled


def _follow(db: repo.State, run: Run) -> None:
    change = run.alteration
    own = next((item for item in repo.list_modules(db) if item.id == run.module_id), None)
    if change is None or own is None:
        return
    for module in (own, *list_neighbours(db, own)):
        changes = build_followed(module, change, is_own=module.id == own.id)
        if changes:
            after = repo.update_module(db, module.id, **changes)
            detail = {name: [_plain(getattr(module, name)), _plain(getattr(after, name))] for name in changes}
            repo.note_audit(db, user=change.user, action="change", kind="module", name=module.name, detail=detail)
            _LOG.info("the module %s follows run %d: %s", module.name, run.id, change)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return {name: getattr(value, name) for name in value.__slots__} if isinstance(value, Column) else value


def list_neighbours(db: repo.State, own: Module) -> list[Module]:
    """Other modules into the same table of the same database, as their names say it."""
    place = _find_place(repo.get_connection(db, own.dest_id), own)
    return [
        module
        for module in repo.list_modules(db)
        if module.id != own.id and _find_place(repo.get_connection(db, module.dest_id), module) == place
    ]


def list_neighbour_names(db: repo.State, run: Run) -> list[str]:
    """What those are called, for a run that changes a column; none for others."""
    if run.alteration is None or run.module_id is None:
        return []
    return [module.name for module in list_neighbours(db, repo.get_module(db, run.module_id))]


def _find_place(dest: Connection, module: Module) -> tuple[str, str, object]:
    try:
        table: object = get_driver(dest.driver).parse_table(fill_table(dest, module.dest_table))
    except PipekitError:
        table = module.dest_table
    return dest.driver, dest.jdbc_url, table


# -- what a module says of a column ------------------------------------------------------------------------------------


def build_followed(module: Module, change: Alteration, *, is_own: bool) -> dict[str, Any]:
    """The fields that are another after the change, by name. What is no column of the module's stays as it is."""
    columns = _follow_columns(module, change, is_own)
    found: dict[str, Any] = {"columns": columns} if columns != module.columns else {}
    if change.what != "rename":
        return found
    names = _Names(change)
    key = tuple(map(names.follow, module.merge_key))
    found |= {"merge_key": key} if key != module.merge_key else {}
    found |= {f: names.follow(getattr(module, f)) for f in _ONE if names.is_meant(getattr(module, f))}
    for field, form in _LISTED.items():
        text = getattr(module, field)
        followed = join_listed(form, _follow_listed(form, split_listed(form, text), names))
        if text and split_listed(form, text) != split_listed(form, followed):
            found[field] = followed
    return found


def _follow_columns(module: Module, change: Alteration, is_own: bool) -> tuple[Column, ...]:
    meant = [column for column in module.columns if column.dest_name == change.column]
    if change.what == "drop":
        return tuple(column for column in module.columns if column not in meant)
    if change.what == "retype":
        return tuple(replace(item, dest_type=change.to) if item in meant else item for item in module.columns)
    if not meant and is_own and change.source:
        number = next_column_id(module.columns)
        added = Column(id=number, source_name=change.source, source_type="", dest_name=change.to, dest_type="")
        return (*module.columns, added)
    return tuple(replace(item, dest_name=change.to) if item in meant else item for item in module.columns)


@dataclass(frozen=True, slots=True)
class _Names:
    """The old name of a column, and what stands for it from now on."""

    change: Alteration

    def is_meant(self, name: str) -> bool:
        return name.casefold() == self.change.column.casefold()

    def follow(self, name: str) -> str:
        return self.change.to if self.is_meant(name) else name


def _follow_listed(form: str, data: Any, names: _Names) -> Any:
    if form == "values":
        return {names.follow(name): values for name, values in data.items()}
    return [names.follow(item) if isinstance(item, str) else list(map(names.follow, item)) for item in data]


def list_uses(module: Module, column: str) -> Iterator[str]:
    """The settings of a module that would mean nothing without the column."""
    names = _Names(Alteration(what="drop", column=column))
    if any(map(names.is_meant, module.merge_key)):
        yield "the merge key"
    wanted: Mapping[str, bool] = {
        "deletes_column": module.deletes == "mark",
        "deletes_day_column": module.deletes != "none",
        **dict.fromkeys(("history_from", "history_to", "history_current"), module.merge_strategy == "snapshot"),
    }
    yield from (_spell(field) for field in _ONE if wanted[field] and names.is_meant(getattr(module, field)))
    for field, form in _LISTED.items():
        if any(map(names.is_meant, _flatten(split_listed(form, getattr(module, field))))):
            yield _spell(field)


def _spell(field: str) -> str:
    part, _, rest = field.partition("_")
    return f"`{'deleting' if part == 'deletes' else part}: {{{rest}: ...}}`"


def _flatten(data: Sequence[Any]) -> Iterator[str]:
    for item in data:
        yield from [item] if isinstance(item, str) else item


def list_mentions(module: Module, texts: Mapping[str, str], column: str) -> list[str]:
    """SQL of a module in which the column's name stands as a word; `texts` are more of them, by what they are."""
    word = re.compile(rf"(?<![\w$]){re.escape(column)}(?![\w$])", re.IGNORECASE)
    named = {told: getattr(module, field) for field, told in _TEXTS.items()} | dict(texts)
    return [told for told, sql in named.items() if word.search(sql)]
