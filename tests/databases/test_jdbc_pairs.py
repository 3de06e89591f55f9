# Tests of `pipekit verify` between every two kinds that run here: no false difference, and every planted one is seen.
"""PostgreSQL 18 and 15, SQLite, H2, HSQLDB, Derby and MariaDB, each into each of the others and into itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipekit import repo
from pipekit.demo.postgres import LocalPostgres
from pipekit.engine import open_look
from pipekit.models import Connection, Run, Verify
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Statement
from tests.databases import mariadb as maria
from tests.databases import over_jdbc
from tests.databases.jdbc import DERBY_CLIENT, H2, HSQLDB
from tests.databases.mariadb import Mariadb
from tests.databases.over_jdbc import open_derby, register
from tests.databases.test_h2_runs import URLS
from tests.lending import lend_database, take_back
from tests.project import Project

# A value of each column, and another that differs by as little as can be.
VALUES = {
    "i": ("9223372036854775807", "9223372036854775806"),
    "d": ("123456.123456", "123456.123457"),
    "f": ("0.1", "0.10000000000000002"),
    "c": ("'a'", "'A'"),
    "v": ("'ü€ '", "'ü€'"),
    "e": ("''", "NULL"),
    "day": ("'0001-01-01'", "'0001-01-02'"),
    "moment": ("'9999-12-31 23:59:59.999999'", "'9999-12-31 23:59:59.999998'"),
    "raw": ("00ff", "00ff20"),
    "b": ("TRUE", "FALSE"),
}
_TYPES = "BIGINT, DECIMAL(20,6), {double}, CHAR(3), VARCHAR(40), VARCHAR(40), DATE, {moment}, {raw}, BOOLEAN"
_STANDARD = {"double": "DOUBLE", "moment": "TIMESTAMP(6)", "raw": "VARBINARY(40)"}
_POSTGRES = {"double": "DOUBLE PRECISION", "moment": "TIMESTAMP", "raw": "BYTEA"}
WORDS = {
    "postgresql": _POSTGRES,
    "old": _POSTGRES,
    "sqlite": _STANDARD | {"raw": "BLOB"},
    "h2": _STANDARD,
    "hsqldb": _STANDARD,
    "derby": _STANDARD | {"moment": "TIMESTAMP", "raw": "VARCHAR(40) FOR BIT DATA"},
    "mariadb": _STANDARD | {"moment": "DATETIME(6)"},
}
SCHEMAS = {"h2": "PUBLIC.", "hsqldb": "PUBLIC.", "derby": "SHOP."}


def spell(kind: str, name: str, changed: bool = False) -> str:
    value = VALUES[name][changed]
    if name == "raw":
        return f"'\\x{value}'" if WORDS[kind] is _POSTGRES else f"X'{value}'"
    if name == "day" and kind == "hsqldb":
        return f"DATE {value}"
    return f"TIMESTAMP {value}" if name == "moment" and kind == "hsqldb" else value


def build_tables(kind: str) -> list[str]:
    """HARD, with a row for each column and one of NULLs; OTHER, where each row differs in its column."""
    schema = SCHEMAS.get(kind, "")
    types = [text.strip() for text in _TYPES.format(**WORDS[kind]).replace("20,6", "20;6").split(",")]
    columns = ", ".join(f"{name}_ {type_}" for name, type_ in zip(VALUES, types, strict=True)).replace(";", ",")
    made = []
    for table in ("hard", "other"):
        rows = [
            [str(place), *(spell(kind, name, table == "other" and name == own) for name in VALUES)]
            for place, own in enumerate(VALUES)
        ]
        rows.append(["99", *["NULL"] * len(VALUES)])
        made.append(f"CREATE TABLE {schema}{table} (k INTEGER, {columns})")
        made += [f"INSERT INTO {schema}{table} VALUES ({', '.join(row)})" for row in rows]
    return made


class World:
    """A project with a connection to a database of each kind."""

    def __init__(self, folder: Path, urls: dict[str, tuple[str, str]]) -> None:
        self.project = Project(folder)
        for kind, driver, template, below in (
            ("h2", H2, URLS["h2"][0], folder),
            ("hsqldb", HSQLDB, URLS["hsqldb"][0], folder),
            ("derby", DERBY_CLIENT, "jdbc:derby://{host}/{database}", ""),
            ("mariadb", maria.DRIVER, "jdbc:mariadb://{host}:{port}/{database}", ""),
        ):
            register(self.project, kind, driver, template, below)
        for name, word in (("MARIADB", maria.PASSWORD), ("DERBY", over_jdbc.PASSWORD)):
            self.project.secrets.set(name, word)
        self.places = {
            kind: repo.create_connection(
                self.project.db,
                name=kind,
                driver="postgresql" if kind == "old" else kind,
                jdbc_url=url,
                username=username or None,
                password=f"${kind.upper()}" if kind in ("mariadb", "derby") else None,
            )
            for kind, (url, username) in urls.items()
        }
        for kind, place in self.places.items():
            self._execute(place, *build_tables(kind))

    def _execute(self, connection: Connection, *statements: str) -> None:
        with open_look(self.project.config, self.project.secrets, connection, read_only=False) as look:
            look.runner.execute(look.endpoint, [Statement(sql=sql) for sql in statements])

    def run(self, source: str, table: str, dest: str, *, verify: bool) -> Run:
        module = repo.find_module_by_name(self.project.db, f"{source}-{dest}-{table}") or self.project.add_module(
            f"{source}-{dest}-{table}",
            source=self.places[source],
            query=f"SELECT * FROM {SCHEMAS.get(source, '')}{table}",
            dest=self.places[dest],
            table=f"{SCHEMAS.get(dest, '')}from_{source}",
            create_table=not verify,
        )
        return self.project.run(module, verify=Verify() if verify else None)


@pytest.fixture
def world(
    tmp_path: Path,
    one_child: None,
    postgres: LocalPostgres,
    old_postgres: LocalPostgres,
    mariadb: Mariadb,
    derby_server: int,
) -> Iterator[World]:
    mariadb.clear()
    new, old = lend_database(postgres, "pairs"), lend_database(old_postgres, "pairs")
    with NativeRunner() as runner, open_derby(derby_server, "pairs", runner) as derby:
        urls = {
            "postgresql": (postgres.jdbc_url(new), "postgres"),
            "old": (old_postgres.jdbc_url(old), "postgres"),
            "sqlite": (f"jdbc:sqlite:{tmp_path}/pairs.db", ""),
            "h2": (URLS["h2"][1].format(tmp_path), "sa"),
            "hsqldb": (URLS["hsqldb"][1].format(tmp_path), "sa"),
            "derby": (derby.url, "shop"),
            "mariadb": (mariadb.url(), maria.USER),
        }
        world = World(tmp_path, urls)
        yield world
        world.project.close()
    for server, name in ((postgres, new), (old_postgres, old)):
        take_back(server, name)


def test_between_every_two_kinds_equal_is_equal_and_the_least_difference_is_seen(world: World) -> None:
    wrong = []
    for source in world.places:
        for dest in world.places:
            load = world.run(source, "hard", dest, verify=False)
            same = world.run(source, "hard", dest, verify=True)
            other = world.run(source, "other", dest, verify=True)
            told = other.verify or {}
            seen = [told.get(name) for name in ("missing", "extra", "differing")]
            # What is not compared is said: long bytes in Derby and HSQLDB.
            expected = len(VALUES) - len(told.get("left_out", ()))
            if (load.status, same.status, seen) != ("success", "success", [expected, expected, 0]):
                wrong.append((source, dest, load.error, same.error, other.error, seen))
            assert expected == len(VALUES) or dest in ("derby", "hsqldb")
    assert not wrong, "\n".join(map(repr, wrong))
