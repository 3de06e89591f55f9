# JDBC URLs as scripts hold them: which kind they are for, and the login in some of them.
"""`drivers/urls.py`."""

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.unused import drop_unused
from pipekit.drivers.urls import find_kind, list_kinds, place_file, split_login


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("jdbc:postgresql://h/db", "postgresql"),
        ("jdbc:sqlite:x.db", "sqlite"),
        ("jdbc:sqlserver://h;databaseName=x", "sqlserver"),
        ("jdbc:as400://h;naming=sql", "db2i"),
        ("JDBC:AS400://h", "db2i"),
        ("jdbc:nobody:x", None),
        ("postgresql://h/db", None),
    ],
)
def test_the_word_after_jdbc_says_the_kind(url: str, kind: str | None) -> None:
    assert find_kind(url) == kind


@pytest.mark.parametrize(
    ("url", "kinds"),
    [
        ("jdbc:h2:mem:x", ["h2"]),
        ("jdbc:sqlite:x", ["sqlite"]),
        ("jdbc:derby://h/shop", ["derby"]),
        ("jdbc:derby:/data/shop", ["derby_file"]),
        ("jdbc:hsqldb:hsql://h/shop", ["hsqldb", "hsqldb_old"]),
        ("jdbc:hsqldb:file:/data/shop", ["hsqldb", "hsqldb_old"]),
        ("jdbc:oracle:thin:@h", []),
    ],
)
def test_a_registered_kind_claims_the_urls_that_begin_like_its_own_and_none_of_a_built_in_kind(
    url: str, kinds: list[str]
) -> None:
    fixed = {"h2": "jdbc:h2:tcp://", "other": "jdbc:sqlite:", "derby": "jdbc:derby://", "derby_file": "jdbc:derby:"}
    assert list_kinds(url, {**fixed, "hsqldb": "jdbc:hsqldb:hsql://", "hsqldb_old": "jdbc:hsqldb:hsql://"}) == kinds


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("jdbc:postgresql://h/d?user=u&password=p%26q&ssl=x", ("jdbc:postgresql://h/d?ssl=x", "u", "p&q")),
        ("jdbc:postgresql://u:p@h:5/db", ("jdbc:postgresql://h:5/db", "u", "p")),
        ("jdbc:postgresql://h/db?ApplicationName=x", ("jdbc:postgresql://h/db", None, None)),
        ("jdbc:sqlserver://h;databaseName=d;user=u;password={a=b}", ("jdbc:sqlserver://h;databaseName=d", "u", "a=b")),
        ("jdbc:as400://h;User=U;Password=P;naming=sql", ("jdbc:as400://h;naming=sql", "U", "P")),
        ("jdbc:sqlite:a@b.db", ("jdbc:sqlite:a@b.db", None, None)),
    ],
)  # fmt: skip
def test_a_login_is_taken_out_of_a_url(url: str, want: tuple[str, str | None, str | None]) -> None:
    login = split_login(url)
    assert (login.jdbc_url, login.username, login.password) == want
    assert "password" not in repr(login)


@pytest.mark.parametrize(
    ("jdbc_url", "placed"),
    [
        ("jdbc:sqlite:shop.db", "jdbc:sqlite:/at/work/shop.db"),
        ("jdbc:sqlite:../shop.db?busy_timeout=9", "jdbc:sqlite:/at/shop.db?busy_timeout=9"),
        ("jdbc:h2:./data/shop;SCHEMA=RPT", "jdbc:h2:/at/work/data/shop;SCHEMA=RPT"),
        ("jdbc:h2:file:shop", "jdbc:h2:file:/at/work/shop"),
        ("jdbc:hsqldb:file:shop;shutdown=true", "jdbc:hsqldb:file:/at/work/shop;shutdown=true"),
        ("jdbc:derby:shop", "jdbc:derby:/at/work/shop"),
        *((url, url) for url in (
            "jdbc:sqlite:/a.db", "jdbc:sqlite::memory:", "jdbc:h2:~/shop", "jdbc:h2:tcp://h/./shop", "jdbc:h2:mem:x",
            "jdbc:hsqldb:hsql://h/shop", "jdbc:derby://h/shop", "jdbc:derby:memory:x", "jdbc:postgresql://h/d",
        )),
    ],
)  # fmt: skip
def test_the_file_of_a_database_is_named_whole(jdbc_url: str, placed: str) -> None:
    assert place_file(jdbc_url, "/at/work") == placed


@pytest.mark.parametrize(
    ("kind", "jdbc_url", "kept", "names"),
    [
        ("postgresql", "jdbc:postgresql://h/d?reWriteBatchedInserts=true&a=1", "jdbc:postgresql://h/d?a=1", 1),
        ("sqlserver", "jdbc:sqlserver://h;database={a;b};selectMethod=x", "jdbc:sqlserver://h;database={a;b}", 1),
        ("mariadb", "jdbc:mariadb://h/d?cachePrepStmts=true&prepStmtCacheSize=9", "jdbc:mariadb://h/d", 2),
        ("mariadb", "jdbc:mariadb://h/d?useUnicode=true&characterEncoding=UTF-8", "jdbc:mariadb://h/d", 2),
        ("h2", "jdbc:h2:/shop;DB_CLOSE_DELAY=-1;SCHEMA=RPT", "jdbc:h2:/shop;SCHEMA=RPT", 1),
        ("db2i", "jdbc:as400://h/LIB;extended dynamic=true;libraries=A,B", "jdbc:as400://h/LIB;libraries=A,B", 1),
        ("sqlite", "jdbc:sqlite:a.db?journal_mode=WAL", "jdbc:sqlite:a.db", 1),
        ("postgresql", "jdbc:postgresql://h/d?gssEncMode=disable&targetServerType=any", "jdbc:postgresql://h/d", 2),
        ("mariadb", "jdbc:mariadb://h/d?serverTimezone=UTC&useLegacyDatetimeCode=false", "jdbc:mariadb://h/d", 2),
        ("mysql", "jdbc:mysql://h/d?useJDBCCompliantTimezoneShift=true&useSSL=true", "jdbc:mysql://h/d?useSSL=true", 1),
        ("sqlserver", "jdbc:sqlserver://h;connectRetryCount=3;quotedIdentifier=ON", "jdbc:sqlserver://h", 2),
        # The product's own driver is told what it knows.
        ("postgresql_jdbc", "jdbc:postgresql://h/d?prepareThreshold=0", "jdbc:postgresql://h/d?prepareThreshold=0", 0),
    ],
)  # fmt: skip
def test_what_concerns_the_jdbc_driver_alone_is_left_out_and_named(
    kind: str, jdbc_url: str, kept: str, names: int
) -> None:
    driver = get_driver(kind)
    assert len(driver.list_unused(jdbc_url)) == names
    assert drop_unused(jdbc_url, ("preparethreshold",)).jdbc_url == kept
