# Tests of SQL Server's JDBC URLs: what is read, what is refused, and the keywords of mssql-python. Opens no database.
"""pipekit.drivers.sqlserver.address."""

import pytest

from pipekit.drivers.base import Address
from pipekit.drivers.sqlserver.address import PACKET_BYTES, build_connection_keywords, parse_url
from pipekit.errors import Invalid


def address(host: str, port: int, database: str = "dw", **options: str) -> Address:
    return Address(host=host, port=port, database=database, options=options)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("jdbc:sqlserver://db;databaseName=dw", address("db", 1433)),
        ("jdbc:sqlserver://db:14330;database=dw;", address("db", 14330)),
        ("jdbc:sqlserver://;serverName=db;portNumber=5;databaseName=dw", address("db", 5)),
        ("jdbc:sqlserver://localhost\\SQLEXPRESS;databaseName=dw", address("localhost", 0, instanceName="SQLEXPRESS")),
        ("jdbc:sqlserver://db\\INST:1500;databaseName=dw", address("db", 1500)),
        ("jdbc:sqlserver://db;instanceName=INST;databaseName=dw", address("db", 0, instanceName="INST")),
        ("jdbc:sqlserver://[::1]:1433;databaseName=dw", address("::1", 1433)),
        ("jdbc:sqlserver://db ; DATABASENAME = dw ; ENCRYPT = True ", address("db", 1433, encrypt="True")),
        ("jdbc:sqlserver://db;databaseName={my;d}}b}", address("db", 1433, "my;d}b")),
        ("jdbc:sqlserver://;databaseName=dw", address("localhost", 1433)),
        (
            "jdbc:sqlserver://db;databaseName=dw;encrypt=strict;hostNameInCertificate=*.corp;loginTimeout=5",
            address("db", 1433, encrypt="strict", hostNameInCertificate="*.corp", loginTimeout="5"),
        ),
    ],
)
def test_an_address_is_read(url: str, expected: Address) -> None:
    assert parse_url(url) == expected


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("jdbc:sqlserver:db;databaseName=dw", "must start with"),
        ("jdbc:sqlserver://db", "must name a database"),
        ("jdbc:sqlserver://db;databaseName=", "must be text"),
        ("jdbc:sqlserver://a,b;databaseName=dw", "no usable server"),
        ("jdbc:sqlserver://db:70000;databaseName=dw", "from 1 to 65535"),
        ("jdbc:sqlserver://db;databaseName=dw;databaseName=x", "stands twice"),
        ("jdbc:sqlserver://db;database=dw;databaseName=x", "stands twice"),
        ("jdbc:sqlserver://db;serverName=x;databaseName=dw", "names its server twice"),
        ("jdbc:sqlserver://db;databaseName=dw;portNumber", "cannot be read"),
        ("jdbc:sqlserver://db;databaseName={dw", "cannot be read"),
        ("jdbc:sqlserver://db;databaseName=dw;encrypt=perhaps", "encrypt cannot be 'perhaps'"),
        ("jdbc:sqlserver://db;databaseName=dw;packetSize=big", "a number of bytes"),
        ("jdbc:sqlserver://db;databaseName=dw;trustStore=x.jks", "'trustStore' is not allowed"),
        ("jdbc:sqlserver://db;databaseName=dw;columnEncryptionSetting=Enabled", "is not allowed"),
        ("jdbc:sqlserver://db;databaseName=dw;applicationName=me", "'applicationName' is not allowed"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name(url: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_url(url)
    assert says in refused.value.message
    assert refused.value.field == "jdbc_url"
    assert refused.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "jdbc:sqlserver://db;databaseName=dw;user=sa;password=s3cret",
        "jdbc:sqlserver://db;databaseName=dw;PASSWORD={s3cret}",
        "jdbc:sqlserver://db;databaseName=dw;userName=s3cret",
        "jdbc:sqlserver://db;databaseName=dw;accessToken=s3cret",
        "jdbc:sqlserver://db;databaseName=dw;trustStorePassword=s3cret",
        "jdbc:sqlserver://sa:s3cret@db;databaseName=dw",
    ],
)
def test_a_login_in_the_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_url(url)
    assert "username and password" in refused.value.message
    assert "s3cret" not in refused.value.message + refused.value.hint


def test_the_reason_says_why_a_property_is_pipekit_s_own() -> None:
    with pytest.raises(Invalid) as refused:
        parse_url("jdbc:sqlserver://db;databaseName=dw;applicationName=me")
    assert "by which a run's are found" in refused.value.hint


@pytest.mark.parametrize(
    ("rest", "keywords"),
    [
        (":1433;databaseName=dw", {"server": "db,1433"}),
        ("\\INST;databaseName=dw", {"server": "db\\INST"}),
        (
            ";databaseName=dw;encrypt=TRUE;trustServerCertificate=false",
            {"encrypt": "yes", "trustservercertificate": "no"},
        ),
        (";databaseName=dw;encrypt=optional", {"encrypt": "no"}),
        (";databaseName=dw;applicationIntent=readonly", {"applicationintent": "ReadOnly"}),
        (
            ";databaseName=dw;multiSubnetFailover=true;packetSize=32767",
            {"multisubnetfailover": "yes", "packetsize": "32767"},
        ),
        (";databaseName=dw;integratedSecurity=true", {"trusted_connection": "yes"}),
        (";databaseName=dw;authentication=ActiveDirectoryManagedIdentity", {"authentication": "ActiveDirectoryMSI"}),
        (";databaseName=dw;hostNameInCertificate={a;b}", {"hostnameincertificate": "a;b"}),
        (";databaseName=dw;loginTimeout=9", {}),
    ],
)
def test_an_address_is_said_in_the_library_s_keywords(rest: str, keywords: dict[str, str]) -> None:
    built = build_connection_keywords(parse_url(f"jdbc:sqlserver://db{rest}"))
    assert built == {"server": "db,1433", "database": "dw", "packetsize": str(PACKET_BYTES), **keywords}
