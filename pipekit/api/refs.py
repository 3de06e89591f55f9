# Things named in a path by id or by name. Knows the repo's getters, no route.
"""`ModuleRef`, `ConnectionRef`, `GroupRef`: dependencies that give the record or raise NotFound."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Query

from pipekit import repo
from pipekit.api.bodies import Ref
from pipekit.http.state import Db
from pipekit.models import Connection, Group, Module

R = TypeVar("R")


def find(
    db: repo.State, ref: str, get: Callable[[repo.State, int], R], get_by_name: Callable[[repo.State, str], R]
) -> R:
    """The record of an id or, for anything that is not a number, of a name. Raises NotFound."""
    is_id = ref.isascii() and ref.isdigit() and len(ref) <= 18
    return get(db, int(ref)) if is_id else get_by_name(db, ref)


def get_connection(db: Db, ref: Ref) -> Connection:
    """The connection of the path."""
    return find(db, ref, repo.get_connection, repo.get_connection_by_name)


def get_module(db: Db, ref: Ref) -> Module:
    """The module of the path."""
    return find(db, ref, repo.get_module, repo.get_module_by_name)


def get_group(db: Db, ref: Ref) -> Group:
    """The group of the path."""
    return find(db, ref, repo.get_group, repo.get_group_by_name)


_Filter = Query(min_length=1, max_length=200, description="Only those of this one: its id, or the name of it.")


def find_filter_module(db: Db, module: Annotated[str | None, _Filter] = None) -> int | None:
    """The id of the module a list is cut to."""
    return get_module(db, module).id if module is not None else None


def find_filter_group(db: Db, group: Annotated[str | None, _Filter] = None) -> int | None:
    """The id of the group a list is cut to."""
    return get_group(db, group).id if group is not None else None


ConnectionRef = Annotated[Connection, Depends(get_connection)]
ModuleRef = Annotated[Module, Depends(get_module)]
GroupRef = Annotated[Group, Depends(get_group)]
OfModule = Annotated[int | None, Depends(find_filter_module)]
OfGroup = Annotated[int | None, Depends(find_filter_group)]
