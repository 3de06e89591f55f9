# What a login's settings, timeouts and poolers may not do to a run: PostgreSQL, and pgbouncer before it.
"""Sessions whose settings are said anew with each transaction."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from pipekit.demo.postgres import LocalPostgres
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.drivers.postgresql.settings import PINNED, Pins
from pipekit.drivers.postgresql.wire import connect
from pipekit.errors import ConnectFailed, StatementFailed
from pipekit.runner_contract import Endpoint, Statement
from tests.databases.moving import Mover, OpenSession, run
from tests.databases.pooler import ODD_LOGINS, open_pooler

_LOGINS = itertools.cycle(ODD_LOGINS)

# A login that was set up for something else. What is not here but pinned has no other value that a login may choose.
ODD = {
    "TimeZone": "America/New_York", "timezone_abbreviations": "Australia", "DateStyle": "SQL, DMY",
    "IntervalStyle": "sql_standard", "bytea_output": "escape", "extra_float_digits": "-5", "xmloption": "document",
    "xmlbinary": "hex", "array_nulls": "off", "quote_all_identifiers": "on", "gin_fuzzy_search_limit": "1",
    "standard_conforming_strings": "off", "lc_monetary": "C.UTF-8", "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on", "statement_timeout": "300ms", "lock_timeout": "300ms",
    "idle_in_transaction_session_timeout": "300ms", "idle_session_timeout": "300ms", "transaction_timeout": "300ms",
}  # fmt: skip
VALUES = """SELECT date '2026-03-04' AS a, timestamptz '2026-03-04 01:00+00' AS b, interval '1 mon -2 days 3:04' AS c,
  '\\xdeadbeef'::bytea AS d, 0.1::float8 + 0.2::float8 AS e, ARRAY['x', NULL, 'NULL'] AS f, 'a\\b'::text AS g,
  'pg_class'::regclass AS h, 1234.5::numeric::money AS i, '2026-03-04 10:00 EST'::timestamptz AS j"""
WANTED = (
    "2026-03-04", "2026-03-04 01:00:00+00", "1 mon -2 days +03:04:00", "\\xdeadbeef", "0.30000000000000004",
    '{x,NULL,"NULL"}', "a\\b", "pg_class", "$1,234.50", "2026-03-04 15:00:00+00",
)  # fmt: skip


@pytest.fixture
def odd_login(session: PostgresSession, database: str, postgres: LocalPostgres) -> Iterator[str]:
    """A login that owns the file's database and has a setting of its own for everything."""
    name = next(_LOGINS)
    settings = [f"ALTER ROLE {name} SET {setting} = '{value}'" for setting, value in ODD.items()]
    run(session, f'CREATE ROLE {name} LOGIN SUPERUSER; ALTER DATABASE "{database}" OWNER TO {name}', *settings)
    yield name
    run(session, f'ALTER DATABASE "{database}" OWNER TO postgres; REASSIGN OWNED BY {name} TO postgres')
    postgres.run_sql(f"DROP ROLE {name}")


@pytest.fixture(params=["straight", "transaction", "session"])
def odd_url(request: pytest.FixtureRequest, tmp_path: Path, postgres: LocalPostgres, database: str) -> Iterator[str]:
    """The file's database, straight and through a pgbouncer of each mode that may have a run."""
    if request.param == "straight":
        yield postgres.jdbc_url(database)
        return
    with open_pooler(tmp_path, postgres, database, pool_mode=request.param) as url:
        yield url


def test_every_setting_is_tried_with_another_value() -> None:
    assert set(PINNED) - set(ODD) == {"client_encoding"}


def test_a_logins_own_settings_change_no_value(odd_login: str, odd_url: str, open_session: OpenSession) -> None:
    source = open_session(jdbc_url=odd_url, username=odd_login, read_only=True)
    dest = open_session(jdbc_url=odd_url, username=odd_login)
    assert source.query(VALUES).rows == (WANTED,)
    for sql, cell in (("SHOW TimeZone", "UTC"), ("-- a\n(SELECT 1);", "1"), ("TABLE pg_am LIMIT 0", None)):
        assert source.query(sql).first_cell() == cell
    mover = Mover(source, dest, "arrived")
    run(dest, f"CREATE TABLE arrived AS {VALUES} LIMIT 0")
    staged = mover.move(VALUES)
    mover.merge(mover.build_plan(staged, "full"))
    assert dest.query("SELECT * FROM arrived").rows == (WANTED,)


def test_an_address_says_which_server_and_that_nothing_is_written(
    open_session: OpenSession, postgres: LocalPostgres, database: str
) -> None:
    """PostgreSQL's JDBC driver has these words; this server takes changes."""
    url = f"{postgres.jdbc_url(database)}?targetServerType={{}}&readOnly=true"
    assert open_session(jdbc_url=url.format("primary"), read_only=True).query("select 1").rows == (("1",),)
    with pytest.raises(ConnectFailed, match="rows are to be written"):
        open_session(jdbc_url=url.format("primary"))
    with pytest.raises(ConnectFailed, match="standby"):
        open_session(jdbc_url=url.format("secondary"), read_only=True)


def test_no_timeout_of_the_login_ends_a_run(
    odd_login: str, odd_url: str, open_session: OpenSession, postgres: LocalPostgres, database: str
) -> None:
    if odd_url != postgres.jdbc_url(database):  # ends the pooler's own connection while nobody uses it
        postgres.run_sql(f"ALTER ROLE {odd_login} RESET idle_session_timeout")
    source = open_session(jdbc_url=odd_url, username=odd_login, read_only=True)
    dest = open_session(jdbc_url=odd_url, username=odd_login)
    mover = Mover(source, dest, "arrived")
    run(dest, "CREATE TABLE arrived (a integer, b text)")
    mover.move("SELECT g AS a, pg_sleep(0.2)::text AS b FROM generate_series(1, 3) AS g")
    run(dest, "SELECT pg_sleep(0.5)", "SELECT 1")
    assert source.query("SELECT pg_sleep(0.5), 1").rows == (("", "1"),)


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pools_other_clients_find_it_as_it_was(
    session: PostgresSession, database: str, postgres: LocalPostgres, tmp_path: Path, mode: str
) -> None:
    """One connection to the server, which everybody gets in turn."""

    def look(url: str) -> list[tuple[str, str]]:
        with psycopg.connect(url.removeprefix("jdbc:"), user="postgres", application_name="another") as other:
            return other.execute("SELECT name, setting FROM pg_settings ORDER BY name").fetchall()

    with open_pooler(tmp_path, postgres, database, pool_mode=mode, default_pool_size=1) as url:
        before = look(url)
        endpoint = Endpoint(kind="postgresql", jdbc_url=url, username="postgres", application_name="pipekit:7@x")
        for read_only in (True, False):
            one = connect(replace(endpoint, read_only=read_only))
            assert one.query("SELECT current_setting('application_name')").first_cell() == "pipekit:7@x"
            assert b"".join(b for b, _ in one.source("SELECT 1 AS a").open("copy-text").blocks) == b"1\n"
            if not read_only:
                run(one, "CREATE TABLE kept (a integer)", "INSERT INTO kept VALUES (1)")
                one.execute([Statement(sql="VACUUM kept")], (), True)
            one.close()
        assert look(url) == before


def test_a_pooler_without_transactions_is_refused_with_the_mend(
    postgres: LocalPostgres, database: str, tmp_path: Path
) -> None:
    with open_pooler(tmp_path, postgres, database, pool_mode="statement") as url:
        one = connect(Endpoint(kind="postgresql", jdbc_url=url, username="postgres"))
        with pytest.raises(
            StatementFailed, match=r"^transaction blocks not allowed in statement pooling mode$"
        ) as refused:
            one.query("SELECT 1")
        assert not refused.value.transient
        assert "pool_mode = session or transaction" in refused.value.hint


def test_a_pool_of_one_connection_for_both_sides_is_named(
    session: PostgresSession, postgres: LocalPostgres, database: str, tmp_path: Path, open_session: OpenSession
) -> None:
    settings = {"pool_mode": "transaction", "default_pool_size": 1, "query_wait_timeout": 1}
    with open_pooler(tmp_path, postgres, database, **settings) as url:
        mover = Mover(open_session(jdbc_url=url), open_session(jdbc_url=url), "arrived")
        run(mover.dest, "CREATE TABLE arrived (a integer)")
        source = mover.source.source("SELECT 1 AS a")
        with pytest.raises(StatementFailed, match=r"^query_wait_timeout$") as refused:
            mover.dest.query("SELECT 1")
        assert "default_pool_size" in refused.value.hint
        source.close()


@pytest.mark.parametrize(
    "attack",
    ["SELECT write()", "SELECT set_config('transaction_read_only', 'off', false), write()", "CALL commit_and_write()"],
)
def test_a_session_that_reads_cannot_write_whatever_a_query_sets(
    session: PostgresSession, open_session: OpenSession, odd_url: str, attack: str
) -> None:
    run(
        session,
        "CREATE TABLE log (a integer)",
        "CREATE FUNCTION write() RETURNS integer LANGUAGE sql AS 'INSERT INTO log VALUES (1) RETURNING 1'",
        "CREATE PROCEDURE commit_and_write() LANGUAGE plpgsql AS "
        "'BEGIN COMMIT; SET transaction_read_only = off; INSERT INTO log VALUES (1); END'",
    )
    reader = open_session(jdbc_url=odd_url, read_only=True)
    reader.query("SELECT set_config('default_transaction_read_only', 'off', false)")
    reader.query("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
    with pytest.raises(StatementFailed):
        reader.query(attack)
    with pytest.raises(StatementFailed, match="read-only"):
        list(reader.source("SELECT write() AS a").open("copy-text").blocks)
    assert session.query("SELECT count(*) FROM log").first_cell() == "0"


def test_a_setting_that_something_between_changes_is_refused_by_name(
    open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Pins.build_set
    monkeypatch.setattr(Pins, "build_set", lambda pins, pid: told(pins, pid).replace("E'ISO, YMD'", "E'SQL, DMY'"))
    with pytest.raises(ConnectFailed, match="DateStyle is 'SQL, DMY', and 'ISO, YMD' is needed") as refused:
        open_session().query("SELECT 1")
    assert "pooler" in refused.value.hint
    assert not refused.value.transient


def test_a_login_that_writes_past_foreign_keys_and_triggers_is_refused_by_name(
    odd_login: str, session: PostgresSession, open_session: OpenSession
) -> None:
    run(session, f"ALTER ROLE {odd_login} SET session_replication_role = replica")
    with pytest.raises(ConnectFailed, match="session_replication_role is 'replica'") as refused:
        open_session(username=odd_login).execute([Statement(sql="CREATE TABLE x (i integer)")], (), False)
    assert "ALTER ROLE" in refused.value.hint
    assert open_session(username=odd_login, read_only=True).query("SELECT 1").first_cell() == "1"


@pytest.mark.parametrize(("own", "wanted"), [("off", "local"), ("remote_write", "remote_write")])
def test_a_commit_is_on_disk_before_it_is_told(
    odd_login: str, session: PostgresSession, open_session: OpenSession, own: str, wanted: str
) -> None:
    run(session, f"ALTER ROLE {odd_login} SET synchronous_commit = {own}")
    writer, reader = open_session(username=odd_login), open_session(username=odd_login, read_only=True)
    found = [one.query("SELECT current_setting('synchronous_commit')").first_cell() for one in (writer, reader)]
    assert found == [wanted, own]


@pytest.mark.parametrize("shape", ["straight", "transaction"])
def test_statements_without_a_transaction_have_the_settings_where_the_connection_is_ours(
    odd_login: str, open_session: OpenSession, postgres: LocalPostgres, database: str, tmp_path: Path, shape: str
) -> None:
    sql = Statement(sql="SELECT pg_sleep(0.5); CREATE TABLE seen AS SELECT current_setting('DateStyle') AS style")
    if shape == "straight":
        dest = open_session(username=odd_login)
        dest.execute([sql, Statement(sql="VACUUM seen")], (), True)
        assert dest.query("SELECT style FROM seen").first_cell() == "ISO, YMD"
        return
    with open_pooler(tmp_path, postgres, database, pool_mode="transaction") as url:
        dest = open_session(username=odd_login, jdbc_url=url)
        with pytest.raises(StatementFailed, match=r"due to (statement|transaction) timeout") as ended:
            dest.execute([sql], (), True)
        assert "hook behind a pooler" in ended.value.hint
