# A column that is renamed, gets a wider type or goes, over JDBC. Sessions in this process, no runs.
"""What each product was seen to do; what it does not, and what was never seen, is refused."""

from dataclasses import replace

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.base import Driver, TableColumn
from pipekit.drivers.jdbc.session import JdbcSession
from tests.databases.jdbc import Open, make_embedded, run

MADE = "CREATE TABLE T (A INT NOT NULL, B VARCHAR(3) DEFAULT 'x' NOT NULL, C DECIMAL(5,2))"


def open_table(request: pytest.FixtureRequest, open_jdbc: Open, kind: str) -> JdbcSession:
    if kind == "mariadb":
        server = request.getfixturevalue("mariadb")
        server.clear()
        session = open_jdbc(server.endpoint())
        made = MADE.replace("VARCHAR(3)", "VARCHAR(3) CHARACTER SET latin1 COLLATE latin1_bin COMMENT 'it''s, ok'")
    else:
        session, made = open_jdbc(make_embedded(kind, "altered")), MADE
    run(session, made, "INSERT INTO T VALUES (1, 'abc', 123.45)")
    return session


def list_columns(session: JdbcSession, driver: Driver) -> dict[str, TableColumn]:
    return {column.name: column for column in driver.get_columns(session.query, driver.parse_table("T"))}


@pytest.mark.parametrize("kind", ["derby", "h2", "hsqldb", "mariadb"])
def test_a_column_is_renamed_widened_and_dropped_and_keeps_the_rest(
    request: pytest.FixtureRequest, open_jdbc: Open, kind: str
) -> None:
    session, driver = open_table(request, open_jdbc, kind), get_driver(kind)
    table, before = driver.parse_table("T"), list_columns(session, driver)
    run(session, *(item.sql for item in driver.build_rename_sql(session.query, table, "A", "K")))
    for name, to in (("K", "BIGINT"), ("B", "VARCHAR(9)"), ("C", "DECIMAL(8,3)")):
        was = list_columns(session, driver)[name]
        refusal = driver.find_alter_refusal("retype", was, to)
        assert bool(refusal) == (kind == "derby" and name != "B")
        if not refusal:
            made = driver.build_retype_sql(session.query, table, replace(was, type=to))
            run(session, *(item.sql for item in made))
    after = list_columns(session, driver)
    assert list(after) == ["K", "B", "C"]
    assert [(c.nullable, c.has_default, c.comment) for c in after.values()] == [
        (c.nullable, c.has_default, c.comment) for c in before.values()
    ]
    assert driver.to_neutral(after["B"].type.partition(" CHARACTER SET ")[0]).length == 9
    if kind != "derby":
        assert driver.to_neutral(after["K"].type).name == "int64"
        assert driver.to_neutral(after["C"].type) == replace(driver.to_neutral("DECIMAL(8,3)"))
    if kind == "mariadb":
        made_as = session.query("SHOW CREATE TABLE T").rows[0][1] or ""
        assert "`B` varchar(9) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT 'x'" in made_as
    assert "can" in driver.find_alter_refusal("retype", after["B"], "VARCHAR(2)")
    run(session, *(item.sql for item in driver.build_drop_column_sql(session.query, table, "C")))
    assert session.query("SELECT * FROM T").rows == (("1", "abc"),)


@pytest.mark.parametrize(
    ("kind", "what"), [("oracle", "rename"), ("jdbc", "drop"), ("db2i", "rename"), ("db2", "retype")]
)
def test_what_was_never_seen_is_refused(kind: str, what: str) -> None:
    column = TableColumn(name="A", type="INTEGER")
    assert "has never seen" in get_driver(kind).find_alter_refusal(what, column, "BIGINT")  # type: ignore[arg-type]
