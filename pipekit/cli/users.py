# Commands for people who log in: set a password, list, delete. A password is read, never printed.
"""`pipekit set-password` and `pipekit users`."""

import sys
from typing import Any

import click

from pipekit.cli.options import json_option
from pipekit.cli.session import Session, find_shell_user
from pipekit.cli.text import format_time
from pipekit.errors import Invalid
from pipekit.models.people import ROLES


@click.command("set-password", short_help="Make a user, or give one a new password.")
@click.argument("user")
@click.option("--role", type=click.Choice(ROLES), help="What the user may do; a new user is an admin by default.")
@click.pass_obj
def set_password(session: Session, user: str, role: str | None) -> None:
    """Give USER a password: ask for it twice without echo, or read the first line of a pipe.

    A user who is not there yet is made. The sessions and tokens of one who is there end.
    """
    from pipekit import repo
    from pipekit.passwords import hash_password

    db = session.db()
    found = repo.find_user_by_name(db, user)
    password_hash = hash_password(_ask_password(user), name=user)
    with repo.transaction(db):
        if found is None:
            values: Any = {"name": user, "role": role or "admin"}
            made = repo.create_user(db, password_hash=password_hash, **values)
            detail: dict[str, list[Any]] = {"role": [None, made.role]}
            action, name = "create", made.name
        else:
            changes: dict[str, Any] = {"password_hash": password_hash} | ({"role": role} if role else {})
            action, name, detail = "change", found.name, repo.describe_new_password(db, found.id)
            repo.update_user(db, found.id, **changes)
            if role and role != found.role:
                detail["role"] = [found.role, role]
        repo.note_audit(db, user=find_shell_user(), action=action, kind="user", name=name, detail=detail)
    session.tell(f"{name} has a new password." if found else f"Made the user {name}, {made.role}.")


def _ask_password(user: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = click.prompt(f"Password for {user}", hide_input=True, err=True)
    again: str = click.prompt("The same again", hide_input=True, err=True)
    if password != again:
        raise Invalid("The two passwords differ.", field="password", hint="Nothing was changed.")
    return password


@click.group(short_help="List and delete users.")
def users() -> None:
    """List and delete the users of the pages and the API. `pipekit set-password` makes one."""


@users.command("list", short_help="All users.")
@json_option
@click.pass_obj
def list_(session: Session, as_json: bool) -> None:
    """List users by name, with role and last login."""
    from pipekit import repo

    found = repo.list_users(session.db())
    if as_json:
        names = ("name", "role", "enabled", "created_at", "last_login_at")
        session.say_json([{name: getattr(user, name) for name in names} for user in found])
        return
    session.say_table(
        ["NAME", "ROLE", "ENABLED", "LAST LOGIN"],
        [[u.name, u.role, "yes" if u.enabled else "no", format_time(u.last_login_at)] for u in found],
        empty="There are no users. Make one with `pipekit set-password NAME`.",
    )


@users.command(short_help="Delete a user.")
@click.argument("user")
@click.pass_obj
def delete(session: Session, user: str) -> None:
    """Delete USER with sessions and tokens. One enabled admin must stay."""
    from pipekit import repo

    db = session.db()
    with repo.transaction(db):
        found = repo.get_user_by_name(db, user)
        repo.delete_user(db, found.id)
        detail = {"role": [found.role, None]}
        repo.note_audit(db, user=find_shell_user(), action="delete", kind="user", name=found.name, detail=detail)
    session.tell(f"Deleted the user {found.name}.")
