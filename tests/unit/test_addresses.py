# Addresses as the fields of a form, and fields as an address, for every kind that has them.
"""`list_parts`, `build_address`, `split_address`."""

import pytest

from pipekit.drivers import get_driver
from pipekit.drivers.addresses import Parts, build_address, list_parts, split_address


def get_parts(kind: str, url_example: str = "") -> Parts:
    parts = list_parts(kind, url_example)
    assert parts is not None
    return parts


@pytest.mark.parametrize(
    ("kind", "url", "fields"),
    [
        ("postgresql", "jdbc:postgresql://db/dw", {"host": "db", "database": "dw"}),
        (
            "postgresql",
            "jdbc:postgresql://[::1]:5433/my%20dw?sslmode=require&connectTimeout=5&readOnly=true",
            {
                "host": "[::1]",
                "port": "5433",
                "database": "my dw",
                "sslmode": "require",
                "more": "connectTimeout=5&readOnly=true",
            },
        ),
        (
            "sqlite",
            "jdbc:sqlite:a folder/shop.db?busy_timeout=5",
            {"file": "a folder/shop.db", "more": "busy_timeout=5"},
        ),
        (
            "sqlserver",
            "jdbc:sqlserver://db\\sales;databaseName={a;b};encrypt=strict;loginTimeout=5",
            {"host": "db", "instance": "sales", "database": "a;b", "encrypt": "strict", "more": "loginTimeout=5"},
        ),
        (
            "sqlserver",
            "jdbc:sqlserver://db:1433;databaseName=dw;encrypt=true;trustServerCertificate=false",
            {"host": "db", "port": "1433", "database": "dw", "encrypt": "true", "trust": "false"},
        ),
        (
            "db2i",
            "jdbc:as400://ibmi/SHOPLIB;libraries=SHOPLIB,QGPL;secure=true;translate binary=true;block size=512",
            {
                "host": "ibmi",
                "database": "SHOPLIB",
                "libraries": "SHOPLIB,QGPL",
                "secure": "true",
                "binary": "true",
                "more": "block size=512",
            },
        ),
    ],
)
def test_an_address_comes_apart_into_fields_and_together_again(kind: str, url: str, fields: dict[str, str]) -> None:
    parts = get_parts(kind)
    found = split_address(parts, url)
    assert found is not None
    assert {name: value for name, value in found.items() if value} == fields
    assert build_address(parts, found) == url
    assert get_driver(kind).parse_url(url)


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("postgresql", "jdbc:postgresql://one:5432,two:5432/dw"),
        ("postgresql", "jdbc:sqlite:x.db"),
        ("sqlserver", "jdbc:sqlserver://db/dw"),
        ("db2i", "jdbc:as400://ibmi/A/B"),
    ],
)
def test_an_address_that_says_more_than_fields_can_is_left_whole(kind: str, url: str) -> None:
    assert split_address(get_parts(kind), url) is None


def test_what_is_typed_into_a_field_cannot_become_another_parameter() -> None:
    address = build_address(get_parts("postgresql"), {"host": "db", "database": "a?sslmode=disable", "port": ""})
    assert get_driver("postgresql").parse_url(address).database == "a?sslmode=disable"
    address = build_address(get_parts("sqlserver"), {"host": "db", "database": "a;encrypt=false}"})
    parsed = get_driver("sqlserver").parse_url(address)
    assert (parsed.database, dict(parsed.options)) == ("a;encrypt=false}", {})
    assert build_address(get_parts("postgresql"), {"host": " "}) == ""


@pytest.mark.parametrize(
    ("example", "address"),
    [
        ("jdbc:mariadb://localhost:3306/shop", "jdbc:mariadb://h:1/d?a=b"),
        ("jdbc:derby://localhost:1527/shop", "jdbc:derby://h:1/d;a=b"),
        ("jdbc:oracle:thin:@//localhost:1521/service", "jdbc:oracle:thin:@//h:1/d;a=b"),
    ],
)
def test_a_registered_kind_has_the_fields_that_its_addresses_look_like(example: str, address: str) -> None:
    parts = get_parts("registered", example)
    assert build_address(parts, {"host": "h", "port": "1", "database": "d", "more": "a=b"}) == address
    assert list_parts("registered", "jdbc:vendor:whatever") is None
