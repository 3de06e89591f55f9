# Which addresses a JDBC kind takes, and what each refusal says. Loads no driver.
"""Allowed beginnings and parameters; names of parameters that run code, read files or reach other servers."""

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.jdbc.products import PRODUCTS, find_product
from pipekit.drivers.jdbc.urls import check_template, get_fixed_part
from pipekit.errors import Invalid


def refuse(kind: str, url: str) -> Invalid:
    with pytest.raises(Invalid) as refused:
        get_driver(kind).parse_url(url)
    assert refused.value.field == "jdbc_url"
    return refused.value


@pytest.mark.parametrize("kind", sorted(PRODUCTS))
def test_every_product_takes_its_own_example_and_names_its_driver(kind: str) -> None:
    kind = kind if kind not in ("postgresql", "sqlserver") else f"{kind}_jdbc"
    driver = get_driver(kind)
    assert driver.parse_url(driver.url_example).host == "localhost"
    assert driver.java_class


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("derby", "jdbc:derby:/var/shop;create=true"),
        ("derby", "jdbc:derby://h:1527/shop;ssl=basic"),
        ("h2", "jdbc:h2:file:/var/shop;IFEXISTS=TRUE;MODE=DB2"),
        ("h2", "jdbc:h2:ssl://h/~/shop"),
        ("hsqldb", "jdbc:hsqldb:file:/var/shop;shutdown=true"),
        ("hsqldb", "jdbc:hsqldb:https://h/shop"),
        ("mysql", "jdbc:mysql://h:3306/shop?sslMode=REQUIRED&connectTimeout=5000"),
        ("mariadb", "jdbc:mariadb://[::1]:3306/shop"),
        ("oracle", "jdbc:oracle:thin:@//h:1521/service"),
        ("oracle", "jdbc:oracle:thin:@h:1521:SID"),
        ("oracle", "jdbc:oracle:thin:@tcps://db.example:2484/shop.example:dedicated"),
        ("db2", "jdbc:db2://h:50000/shop:sslConnection=true;currentSchema=A;"),
        ("postgresql_jdbc", "jdbc:postgresql://h/dw?sslmode=require"),
        ("sqlserver_jdbc", "jdbc:sqlserver://h;databaseName=dw;encrypt=true"),
        ("sqlserver_old", "jdbc:jtds:sqlserver://h/dw;domain=x"),
        ("jdbc", "jdbc:informix-sqli://h:9088/db:INFORMIXSERVER=x"),
        ("teradata", "jdbc:teradata://h/DATABASE=x,CHARSET=UTF8"),
    ],
)
def test_what_people_need_is_taken(kind: str, url: str) -> None:
    assert get_driver(kind).parse_url(url)


@pytest.mark.parametrize(
    ("kind", "url", "stays"),
    [
        ("derby", "jdbc:derby:/var/shop", True),
        ("derby", "jdbc:derby://h:1527/shop", False),
        ("h2", "jdbc:h2:file:/var/shop", True),
        ("jdbc", "jdbc:duckdb:shop.db", True),
        ("oracle", "jdbc:oracle:thin:@//h:1521/service", False),
        ("db2i", "jdbc:as400://h/SHOP", False),
        ("sqlite", "jdbc:sqlite:shop.db", False),
        ("postgresql", "jdbc:postgresql://h/dw", False),
    ],
)
def test_an_embedded_database_may_be_held_until_its_process_ends(kind: str, url: str, stays: bool) -> None:
    driver = get_driver(kind)
    assert driver.stays_open(driver.parse_url(url)) is stays


@pytest.mark.parametrize(
    ("kind", "url", "name"),
    [
        ("postgresql_jdbc", "jdbc:postgresql://h/d?socketFactory=x.Y&socketFactoryArg=http://e/", "socketFactory"),
        ("postgresql_jdbc", "jdbc:postgresql://h/d?ssl=true&sslfactory=x.Y", "sslfactory"),
        ("postgresql_jdbc", "jdbc:postgresql://h/d?loggerFile=/etc/cron.d/x", "loggerFile"),
        ("postgresql_jdbc", "jdbc:postgresql://h/d?authenticationPluginClassName=x", "authenticationPluginClassName"),
        ("postgresql_jdbc", "jdbc:postgresql://h/d?jaasLogin=true", "jaasLogin"),
        ("postgresql_jdbc", "jdbc:postgresql://h/d?socket%46actory=x", "socketFactory"),
        ("mysql", "jdbc:mysql://h/d?autoDeserialize=true", "autoDeserialize"),
        ("mysql", "jdbc:mysql://h/d?allowLoadLocalInfile=true", "allowLoadLocalInfile"),
        ("mysql", "jdbc:mysql://h/d?queryInterceptors=x", "queryInterceptors"),
        ("mysql", "jdbc:mysql://h/d?useSSL=true&allowMultiQueries=true", "allowMultiQueries"),
        ("h2", "jdbc:h2:/d;INIT=RUNSCRIPT FROM 'http://e/x.sql'", "INIT"),
        ("h2", "jdbc:h2:/d;init=x", "init"),
        ("h2", "jdbc:h2:/d;TRACE_LEVEL_FILE=4", "TRACE_LEVEL_FILE"),
        ("h2", "jdbc:h2:tcp://h/d;MODE=DB2;AUTO_SERVER=TRUE", "AUTO_SERVER"),
        ("derby", "jdbc:derby:/d;restoreFrom=/x", "restoreFrom"),
        ("derby", "jdbc:derby:/d;logDevice=/x", "logDevice"),
        ("derby", "jdbc:derby://h/d;traceFile=/x", "traceFile"),
        ("oracle", "jdbc:oracle:thin:@h:1:s?TNS_ADMIN=/x", "TNS_ADMIN"),
        ("db2", "jdbc:db2://h/d:traceFile=/x;", "traceFile"),
        ("sqlserver_jdbc", "jdbc:sqlserver://h;socketFactoryClass=x", "socketFactoryClass"),
        ("jdbc", "jdbc:vendor://h/d;socketFactory=x.Y", "socketFactory"),
        ("jdbc", "jdbc:vendor://h/d?INIT=x", "INIT"),
        ("jdbc", "jdbc:vendor://h/d:loggerFile=/x", "loggerFile"),
        ("teradata", "jdbc:teradata://h/CHARSET=UTF8,LOG=DEBUG", "LOG"),
        ("hive", "jdbc:hive2://h/d;initFile=/x", "initFile"),
        ("informix", "jdbc:informix-sqli://h:1/d:INFORMIXSERVER=x;SQLH_TYPE=FILE;SQLH_FILE=/x", "SQLH_TYPE"),
    ],
)
def test_a_parameter_that_could_run_code_or_reach_files_is_refused_by_its_name(kind: str, url: str, name: str) -> None:
    assert f"'{name}' is not allowed" in refuse(kind, url).message


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("postgresql_jdbc", "jdbc:postgresql://ana:geheim@h/d"),
        ("postgresql_jdbc", "jdbc:postgresql://h/d?user=ana&password=geheim"),
        ("oracle", "jdbc:oracle:thin:scott/geheim@h:1521:s"),
        ("h2", "jdbc:h2:/d;PASSWORD=geheim"),
        ("jdbc", "jdbc:vendor://h/d;pwd=geheim"),
        ("jdbc", "jdbc:vendor://ana:geheim@h/d"),
        ("db2i", "jdbc:as400://h;user=ana;password=geheim"),
        ("db2i", "jdbc:as400://ana:geheim@h"),
    ],
)
def test_a_login_in_an_address_is_refused_and_not_repeated(kind: str, url: str) -> None:
    refused = refuse(kind, url)
    assert "username and password" in refused.message
    assert "geheim" not in f"{refused.message} {refused.hint}"


@pytest.mark.parametrize(
    ("kind", "url", "words"),
    [
        ("h2", "jdbc:h2:mem:shop", "in memory"),
        ("derby", "jdbc:derby:memory:shop;create=true", "in memory"),
        ("hsqldb", "jdbc:hsqldb:mem:shop", "in memory"),
        ("h2", "jdbc:h2:shop", "one of"),
        ("derby", "jdbc:derby:shop", "whole path"),
        ("derby", "jdbc:derby:jar:(x.jar)shop", "brackets"),
        ("derby", "jdbc:derby:classpath:shop", "one of"),
        ("h2", "jdbc:h2:zip:/x.zip!/shop", "one of"),
        ("hsqldb", "jdbc:hsqldb:res:/shop", "one of"),
        ("derby", "jdbc:derby://h/d;create=true", "file of this machine"),
        ("oracle", "jdbc:oracle:thin:@(DESCRIPTION=(ADDRESS=(HOST=h)))", "brackets"),
        ("oracle", "jdbc:oracle:oci:@x", "jdbc:oracle:thin:"),
        ("oracle", "jdbc:oracle:thin:@alias", "host, port and service"),
        ("oracle", "jdbc:oracle:thin:@ldap://h:389/shop", "host, port and service"),
        ("oracle", "jdbc:oracle:thin:@//h:1521/service/../x", "host, port and service"),
        ("jdbc", "jdbc:wrapper:h2:/d", "wraps one of h2"),
        ("vendor", "jdbc:wrapper:spy:ORACLE:thin:@//h:1/s", "wraps one of ORACLE"),
        ("jdbc", "jdbc:mysql://h/d", "kind 'mysql'"),
        ("jdbc", "jdbc:as400://h", "kind 'db2i'"),
        ("jdbc", "jdbc:sqlite:x.db", "kind 'sqlite'"),
        ("teradata", "jdbc:h2:/d", "kind 'h2'"),
        ("h2", "jdbc:h2:/d\nx", "cannot be seen"),
        ("jdbc", " jdbc:vendor://h", "blanks"),
        ("mysql", "jdbc:mysql://h/d?surprise=1", "'surprise' is not allowed"),
        ("mysql", "jdbc:mysql://h/d?maxRows=9", "'maxRows' is not allowed: it cuts the rows of every query"),
        ("mariadb", "jdbc:mariadb://h/d?zeroDateTimeBehavior=convertToNull", "dates of zeros arrive as they stand"),
    ],
)
def test_what_else_is_refused_says_why(kind: str, url: str, words: str) -> None:
    refused = refuse(kind, url)
    assert words in f"{refused.message} {refused.hint}"


def test_a_kind_is_spoken_to_as_its_name_begins() -> None:
    assert find_product("derby_old").name == "derby"
    assert find_product("derbyish").name == "jdbc"
    assert get_driver("derby_old").kind == "derby_old"
    assert get_driver("derby_old") is get_driver("derby_old")


@pytest.mark.parametrize(
    ("template", "fixed"),
    [
        ("jdbc:h2:tcp://{host}/{database}", "jdbc:h2:tcp://"),
        ("jdbc:postgresql://10.0.0.5/{database}", "jdbc:postgresql://10.0.0.5/"),
        ("jdbc:as400://host;translate binary=true", "jdbc:as400://"),
        ("jdbc:derby://localhost:1527/shop", "jdbc:derby://"),
        ("jdbc:oracle:thin:@//localhost:1521/service", "jdbc:oracle:thin:@//"),
        ("jdbc:hsqldb:file:/x", "jdbc:hsqldb:file:"),
    ],
)
def test_the_fixed_part_of_a_template_is_what_stands_before_what_differs(template: str, fixed: str) -> None:
    assert get_fixed_part(template) == fixed


def test_an_address_that_does_not_begin_like_its_template_is_refused() -> None:
    check_template("jdbc:h2:tcp://{host}/{database}", "JDBC:h2:TCP://h/d")
    with pytest.raises(Invalid, match=r"must start with jdbc:h2:tcp://"):
        check_template("jdbc:h2:tcp://{host}/{database}", "jdbc:h2:/etc/x")
