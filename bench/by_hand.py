# What a person would write to load a table with indexes faster. Knows nothing of Pipekit.
"""SQL and shell of two ways: indexes dropped and made again in the merge, and a new table renamed into place."""

import shlex
from dataclasses import dataclass

from bench.data import TABLE
from bench.servers import Servers, psql_command

KEY = "l_orderkey, l_linenumber"
INDEXES = ("l_partkey", "l_shipdate")


@dataclass(frozen=True, slots=True)
class Indexed:
    """A table's name and the columns with an index each; with any there is a primary key too."""

    name: str
    indexes: tuple[str, ...] = INDEXES

    @property
    def create(self) -> str:
        """Statements that make the key and the indexes."""
        if not self.indexes:
            return ""
        key = f"alter table {self.name} add constraint {self.name}_pkey primary key ({KEY})"
        return "; ".join((key, *(f"create index {self.name}_{each} on {self.name} ({each})" for each in self.indexes)))

    @property
    def drop(self) -> str:
        """Statements that drop them."""
        key = f"alter table {self.name} drop constraint {self.name}_pkey"
        return "; ".join((key, *(f"drop index {self.name}_{each}" for each in self.indexes)))

    def build_rename(self, name: str) -> str:
        """Statements that give another table's name to this one, and its indexes' names to these."""
        names = [f"{each}" for each in ("pkey", *self.indexes) if self.indexes]
        indexes = (f"alter index {self.name}_{each} rename to {name}_{each}" for each in names)
        return "; ".join((f"alter table {self.name} rename to {name}", *indexes))


def build_rebuilding_merge(dest: Indexed) -> str:
    """Statements of a merge from `staging`."""
    fill = f"truncate {dest.name}; insert into {dest.name} select * from staging"
    return f"{dest.drop}; {fill}; {dest.create}"


def build_swap_pipe(servers: Servers, dest: Indexed, table: str = TABLE) -> list[str]:
    """The argv of a load of a new table in COPY's binary form, which takes the dest's place; without statistics."""
    fresh = Indexed(f"{dest.name}_fresh", dest.indexes)
    out = psql_command(servers.source, "-c", f"copy {table} to stdout (format binary)")
    steps = (
        f"drop table if exists {fresh.name}",
        "begin",
        f"create table {fresh.name} (like {dest.name} including defaults)",
        f"copy {fresh.name} from stdin (format binary, freeze)",
        *([fresh.create] if fresh.indexes else []),
        "commit",
        f"begin; drop table {dest.name}; {fresh.build_rename(dest.name)}; commit",
    )
    into = psql_command(servers.dest, *(word for step in steps for word in ("-c", step)))
    return ["sh", "-c", f"{shlex.join(out)} | {shlex.join(into)}"]
