# Databases behind registered JDBC drivers, as the tests of whole runs make and ask them. Knows no test.
"""`register` puts a jar into a project; `JdbcDatabase` is spoken to through a runner of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipekit.engine import jars
from pipekit.errors import RunnerError
from pipekit.runner.native import NativeRunner
from pipekit.runner_contract import Endpoint, Statement
from tests.databases.jdbc import DERBY_CLIENT, find_jar, make_endpoint
from tests.project import Project

PASSWORD = "no word of a query"
_WHOLE = ("SMALLINT", "INTEGER", "BIGINT")


def register(project: Project, kind: str, driver: tuple[str, str], template: str, folder: Path | str = "") -> None:
    """Copies the driver's jar into the project's folder for jars and registers it; with databases below a folder."""
    jar, java_class = driver
    put_jar(project, jar)
    jars.register(
        project.db,
        project.config,
        kind=kind,
        jar=jar,
        java_class=java_class,
        url_template=template,
        folder=str(folder),
        user="tests",
    )


def put_jar(project: Project, jar: str) -> Path:
    """Copies a jar into the project's folder for jars."""
    folder = project.config.jar_folder
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(find_jar(jar), folder / jar))


class JdbcDatabase:
    """A database that the test itself speaks to, beside the program."""

    def __init__(self, kind: str, url: str, endpoint: Endpoint, runner: NativeRunner) -> None:
        self.kind = kind
        self.url = url
        self._endpoint = endpoint
        self._runner = runner
        # What closes a test's other databases finds its like here.
        self.connection = self

    def close(self) -> None:
        """The runner is the module's; it goes on."""

    def execute(self, *statements: str) -> None:
        """Runs statements; `text`, which is no type here, is a long VARCHAR."""
        changed = [Statement(sql=sql.replace(" text", " varchar(1000)")) for sql in statements]
        self._runner.execute(self._endpoint, changed)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """A query's rows, whole numbers and decimals as such."""
        result = self._runner.query(self._endpoint, sql)
        types = [column.type for column in result.columns]
        return [tuple(_read(cell, type_) for cell, type_ in zip(row, types, strict=True)) for row in result.rows]

    def clear(self) -> None:
        """Leaves of Derby's database the empty schema SHOP."""
        sql = "select s.schemaname, {} from sys.{} join sys.sysschemas s on s.schemaid = {}.schemaid where {}"
        own = "s.schemaname not like 'SYS%' and s.schemaname not in ('APP', 'SQLJ', 'NULLID')"
        tables = self.rows(sql.format("t.tablename, t.tabletype", "systables t", "t", own) + " order by 3 desc")
        aliases = self.rows(sql.format("a.alias", "sysaliases a", "a", own))
        schemas = self.rows(f"select s.schemaname from sys.sysschemas s where {own} and s.schemaname <> 'SHOP'")
        self._drop_views([(schema, name) for schema, name, kind in tables if kind == "V"])
        self.execute(
            *(f'drop table "{schema}"."{_quoted(name)}"' for schema, name, kind in tables if kind == "T"),
            *(f'drop function "{schema}"."{name}"' for schema, name in aliases),
            *(f'drop schema "{schema}" restrict' for (schema,) in schemas),
        )

    def _drop_views(self, views: list[tuple[str, str]]) -> None:
        """Those that others stand on go last."""
        while views:
            left = []
            for schema, name in views:
                try:
                    self.execute(f'drop view "{schema}"."{name}"')
                except RunnerError:
                    left.append((schema, name))
            assert len(left) < len(views), f"views that cannot be dropped: {left}"
            views = left


def _quoted(name: str) -> str:
    return name.replace('"', '""')


def _read(cell: str | None, type_text: str) -> Any:
    if cell is None:
        return None
    if type_text in _WHOLE:
        return int(cell)
    return Decimal(cell) if type_text.startswith("DECIMAL") else cell


@contextmanager
def open_derby(port: int, name: str, runner: NativeRunner, kind: str = "derby") -> Iterator[JdbcDatabase]:
    """An empty database in Derby's network server."""
    url = f"jdbc:derby://127.0.0.1:{port}/{name}"
    login = {"username": "shop", "password": PASSWORD}
    endpoint = make_endpoint(DERBY_CLIENT, f"{url};create=true", **login)
    runner.execute(endpoint, [Statement(sql="CREATE SCHEMA shop")])
    try:
        yield JdbcDatabase(kind, url, endpoint, runner)
    finally:
        # Hundreds of them must not stay open in the server. It says that it was shut by an error.
        with suppress(RunnerError):
            runner.query(replace(endpoint, jdbc_url=f"{url};shutdown=true"), "VALUES 1")
