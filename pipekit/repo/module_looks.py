# What was seen of modules' databases, kept for their pages. Knows no driver and no page.
"""`keep_look`, `find_look`, `list_query_tables`, and the modules around one."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipekit.models import Module
from pipekit.repo.state import State, now


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleLook:
    """The columns of a module's dest (`name`, `type`, `nullable`, `in_key`, `comment`) and the tables its query reads.

    `tables` are (schema, name), None where the source's kind does not tell; `asked` is a digest of what was asked.
    """

    at: str
    asked: str
    columns: Sequence[Mapping[str, Any]]
    tables: Sequence[tuple[str | None, str]] | None
    problem: str | None = None


def keep_look(db: State, module_id: int, look: ModuleLook) -> None:
    """In place of what was seen before."""
    tables = None if look.tables is None else json.dumps(look.tables)
    db.execute(
        """
        INSERT OR REPLACE INTO module_look (module_id, at, asked, columns_json, tables_json, problem)
        SELECT id, :at, :asked, :columns, :tables, :problem FROM module WHERE id = :module
        """,
        {
            "module": module_id,
            "at": now(),
            "asked": look.asked,
            "columns": json.dumps([dict(column) for column in look.columns]),
            "tables": tables,
            "problem": look.problem,
        },
    )


def find_look(db: State, module_id: int) -> ModuleLook | None:
    """What was seen last; None where nobody has looked."""
    row = db.row("SELECT * FROM module_look WHERE module_id = ?", (module_id,))
    if row is None:
        return None
    return ModuleLook(
        at=row["at"],
        asked=row["asked"],
        columns=json.loads(row["columns_json"]),
        tables=_read_tables(row["tables_json"]),
        problem=row["problem"],
    )


def list_query_tables(db: State) -> dict[int, tuple[str, Sequence[tuple[str | None, str]]]]:
    """Of each module that was looked at, where the database told them: what was asked, and the tables it reads."""
    rows = db.rows("SELECT module_id, asked, tables_json FROM module_look WHERE tables_json IS NOT NULL")
    return {row["module_id"]: (row["asked"], _read_tables(row["tables_json"]) or ()) for row in rows}


def list_near(db: State, *, sources: Sequence[int], dests: Sequence[int]) -> list[Module]:
    """The modules that read from one of some connections or write to one of others."""
    sql = """
        SELECT * FROM module WHERE source_id IN (SELECT value FROM json_each(:sources))
        OR dest_id IN (SELECT value FROM json_each(:dests)) ORDER BY name
    """
    rows = db.rows(sql, {"sources": json.dumps(list(sources)), "dests": json.dumps(list(dests))})
    return [Module.from_row(row) for row in rows]


def _read_tables(text: str | None) -> list[tuple[str | None, str]] | None:
    return None if text is None else [(schema, name) for schema, name in json.loads(text)]
