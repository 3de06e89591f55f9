# Db2 for i's connection: the JDBC one, by an address that fits the jar. Loaded in the runner child only.
"""`connect`, `prepare` and `probe`, as the runner looks for them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pipekit.drivers.db2i.address import build_connect_url
from pipekit.drivers.db2i.codepages import read_page
from pipekit.drivers.db2i.fitting import NAMED, fit
from pipekit.drivers.db2i.jobs import build_client_info, name_job
from pipekit.drivers.db2i.losses import find_any_lost, find_lost
from pipekit.drivers.db2i.types import find_large_page, find_most_bytes
from pipekit.drivers.jdbc import probe as jdbc_probe
from pipekit.drivers.jdbc.columntypes import ColumnType
from pipekit.drivers.jdbc.jvm import JavaError, find_class, load_driver, start
from pipekit.drivers.jdbc.session import JdbcSession
from pipekit.drivers.jdbc.wire import open_connection
from pipekit.drivers.jdbc.wire import prepare as prepare
from pipekit.drivers.wire import Known
from pipekit.errors import StatementFailed
from pipekit.runner_contract import Endpoint, ResultColumn


class Db2iSession(JdbcSession):
    """A session that knows the job that serves it, and how values that it could not give are found."""

    nulls_bad_data: ClassVar[bool] = True

    def __init__(self, driver: Any, connection: Any, endpoint: Endpoint, about: str) -> None:
        self._driver = driver
        super().__init__(connection, endpoint, connect)
        self.known = Known(name=name_job(connection), about=about)

    def spell_asked(self, name: str) -> str:
        """jt400 makes capitals of names that it is asked for, unless they are in quotes; no other driver does."""
        is_taken = name == name.upper() or not self.known.about.startswith(NAMED)
        return name if is_taken else f'"{name}"'

    def find_lost(self, sql: str, place: int, column: ResultColumn) -> str:
        return find_lost(sql, place, column)

    def explain(self, error: Any, sql: str, read: int, columns: Sequence[ResultColumn]) -> StatementFailed:
        """A value that the system itself refuses is named by nothing; where it is looked for can be said."""
        failed = super().explain(error, sql, read, columns)
        if failed.sqlstate.startswith("22"):
            where = f"the rows behind row {read}" if read else "the first rows"
            failed.message = f"{failed.message} It came with {where} of the query."
            failed.hint = f"{find_any_lost(sql, columns)} {failed.hint}".strip()
        return failed

    def adapt(self, name: str, type_: ColumnType) -> ColumnType:
        """Bytes that the module has a code page for are text in it; a ROWID is bytes, which older jars tell as text."""
        if type_.text == "ROWID":
            return ColumnType(kind="BYTES", text="ROWID", layout="bytes")
        ccsid = self.pages.get(name)
        if ccsid is None or type_.kind != "BYTES":
            return type_
        text = f"{type_.text.replace('BINARY', 'CHAR')} CCSID {ccsid}"
        return ColumnType(kind="TEXT", text=text, page=read_page(self._driver.getClass(), ccsid))

    def limit_text(self, target: Any, type_text: str, exact: bool) -> Any:
        """Code pages of large texts alone: others are staged in Unicode and compared, which large ones cannot be."""
        if most := find_most_bytes(type_text):
            return target.inBytes(most)
        ccsid = find_large_page(type_text) if exact else None
        if ccsid is None:
            return target
        try:
            return target.within(find_class("pipekit.OwnCharacters")(self.connection, ccsid))
        except JavaError as error:
            message = f"The driver cannot write texts of {type_text}: {error}."
            raise StatementFailed(message, hint="Give the dest column CCSID 1208, or take the column out.") from None

    def tell_who(self, endpoint: Endpoint) -> None:
        self.connection.setClientInfo(build_client_info(endpoint))


def connect(endpoint: Endpoint) -> Db2iSession:
    """Opens a session; raises ConnectFailed, also for an address that the registered jar would read otherwise."""
    start(endpoint)
    driver = load_driver(endpoint)
    fitted = fit(driver, endpoint.jdbc_url)
    connection = open_connection(driver, replace(endpoint, jdbc_url=fitted.jdbc_url))
    return Db2iSession(driver, connection, endpoint, fitted.about)


def probe(endpoint: Endpoint) -> dict[str, Any]:
    """As of any driver, and what this jar makes of addresses. Raises ConnectFailed."""
    found = jdbc_probe.probe(endpoint)
    fitted = fit(load_driver(endpoint), build_connect_url(endpoint.jdbc_url))
    return found | {"about": fitted.about}
