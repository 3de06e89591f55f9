# The description of the API, and the page that is made from it.
"""Rules for /api/openapi.json and docs/api.md."""

from pathlib import Path
from typing import Any

import pytest

from pipekit.api.openapi import build_openapi
from pipekit.api.reference import build_endpoint_table
from tests.api.caller import Caller, Home

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
OPERATIONS = [
    pytest.param(operation, id=f"{method} {path}")
    for path, operations in build_openapi()["paths"].items()
    for method, operation in operations.items()
]


def test_the_pages_table_is_current() -> None:
    assert build_endpoint_table() in PAGE.read_text("utf-8"), "the table: python -m pipekit.api.reference"


def test_the_description_is_behind_the_login_and_whole(home: Home, vera: Caller) -> None:
    assert vera.get("/openapi.json") == build_openapi()
    assert home.call(None).fail("GET", "/openapi.json", 401)


def test_the_description_holds_the_api_and_no_page() -> None:
    assert all(path.startswith("/api/") for path in build_openapi()["paths"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_says_what_it_answers_and_how_it_fails(operation: dict[str, Any]) -> None:
    assert operation["description"]
    responses = operation["responses"]
    if operation.get("security") == []:
        return
    for status in ("401", "403", "422"):
        schema = responses[status]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorAnswer"}, status
    for status, response in responses.items():
        assert status == "204" or response["content"]["application/json"]["schema"]


def test_every_field_of_a_request_is_explained() -> None:
    document = build_openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                told = parameter.get("description") or parameter["name"] in ("kind", "status")
                assert told, f"{method} {path}: {parameter['name']}"
    for name, schema in document["components"]["schemas"].items():
        if name.endswith(("New", "Change", "Start", "Body")):
            for field, details in schema["properties"].items():
                assert details.get("description"), f"{name}.{field}"
            assert schema["additionalProperties"] is False
