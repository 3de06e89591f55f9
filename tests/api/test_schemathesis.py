# Calls the API with what its own description allows and what it forbids, made up by Schemathesis.
"""No 5xx, no answer that violates its description, no secret in any answer.

`PIPEKIT_TEST_CALLS` says how many calls; beyond the default they are others in every run.
"""

import base64
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from pipekit import repo
from pipekit.api.openapi import build_openapi
from tests.api.caller import Home
from tests.people import PASSWORD

DEFAULT_CALLS = 300
CALLS = int(os.environ.get("PIPEKIT_TEST_CALLS", DEFAULT_CALLS))
CANARY = "canary-4711-must-never-be-seen"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# What made-up values hardly ever meet: things that exist and texts that mean something.
FITTING = {
    "driver": "sqlite",
    "jdbc_url": "jdbc:sqlite:src.db",
    "username": "canary",
    "password": "$CANARY",
    "source_id": 1,
    "dest_id": 2,
    "connection_id": 1,
    "module_id": 1,
    "group_id": 1,
    "source_query": "select id from t where id > '{since}'",
    "merge_key": "id",
    "columns": [],
    "watermarks": {"since": "0"},
    "cron": "0 4 * * *",
    "sql": "select id, name from t",
}
# Looks before they leap: what is deleted or changed is gone for those that come after.
ORDER = ("get", "post", "put", "patch", "delete")
SCHEMA = schemathesis.openapi.from_dict(build_openapi())
OPERATIONS = [result.ok() for result in SCHEMA.get_all_operations() if isinstance(result, Ok)]
# How many calls came to which hundred.
ANSWERED: Counter[int] = Counter()
OPERATIONS.sort(key=lambda operation: ORDER.index(operation.method))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """One of everything, and a secret that a connection refers to."""
    made = Home(Path(tmp_path_factory.mktemp("schemathesis")))
    made.secrets.set("CANARY", CANARY)
    db = made.db
    source = made.add_connection("src", "jdbc:sqlite:src.db", username="canary", password="$CANARY")
    made.add_connection("dw", "jdbc:sqlite:dw.db", username="canary", password="$CANARY")
    mark = {"name": "since", "connection_id": source.id, "resolver_sql": "select 1"}
    module = made.make_module(watermarks=[mark], hooks=[{"sql": "select 1"}], merge_key="id")
    group = repo.create_group(db, name="nightly")
    repo.create_member(db, group_id=group.id, module_id=module.id)
    repo.create_schedule(db, group_id=group.id, cron="0 4 * * *")
    assert made.succeed(module).id == 1
    repo.create_group_run(db, group.id, triggered_by="manual", dry_run=True)
    repo.create_token(db, 2, "somebody else's")
    yield made
    told = ", ".join(f"{count} of {hundred}xx" for hundred, count in sorted(ANSWERED.items()))
    print(f"\n{sum(ANSWERED.values())} calls of {len(OPERATIONS)} operations: {told}")
    made.close()


@pytest.fixture(scope="module")
def login(home: Home) -> dict[str, str]:
    """An admin's header; by Basic, so that no call revokes its own token."""
    SCHEMA.app = home.app
    return {"Authorization": "Basic " + base64.b64encode(f"ana:{PASSWORD}".encode()).decode()}


@st.composite
def build_cases(draw: st.DrawFn, operation: Any) -> tuple[Any, bool]:
    """A call that the description allows or forbids, and whether it is forbidden; often of a thing that exists."""
    mode = draw(st.sampled_from(list(schemathesis.GenerationMode)))
    case = draw(operation.as_strategy(generation_mode=mode))
    is_forbidden = mode == schemathesis.GenerationMode.NEGATIVE
    if case.path_parameters and draw(st.booleans()):
        case.path_parameters = dict.fromkeys(case.path_parameters, "sqlite" if "kind" in case.path_parameters else "1")
        is_forbidden = False
    if isinstance(case.body, dict) and not is_forbidden and draw(st.booleans()):
        case.body = {**case.body, **{name: FITTING[name] for name in case.body if name in FITTING}}
    return case, is_forbidden


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.method} {operation.path}")
def test_an_operation_keeps_to_its_description(home: Home, login: dict[str, str], operation: Any) -> None:
    @settings(
        max_examples=max(1, CALLS // len(OPERATIONS)),
        derandomize=CALLS <= DEFAULT_CALLS,
        phases=[Phase.explicit, Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(built=build_cases(operation))
    def check(built: tuple[Any, bool]) -> None:
        case, is_forbidden = built
        answer = case.call(headers=login, app=home.app)
        ANSWERED[answer.status_code // 100] += 1
        # Too large is an answer to anything, which the last check does not know.
        checks = [*CHECKS, negative_data_rejection] if is_forbidden and answer.status_code != 413 else CHECKS
        case.validate_response(answer, checks=checks)
        shown = answer.content + str(answer.headers).encode()
        assert CANARY.encode() not in shown
        assert b"argon2" not in shown

    check()


def test_every_operation_was_understood() -> None:
    assert len(OPERATIONS) == sum(len(operations) for operations in build_openapi()["paths"].values())


def test_the_admin_is_still_one_after_all_this(home: Home, login: dict[str, str]) -> None:
    home.call(None).get("/users", headers=login)
