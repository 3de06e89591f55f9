# Definition files: what is accepted, how mistakes are told, and that an export applied changes nothing.
"""Parsing, planning, applying and exporting definitions against a real state database."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipekit import repo
from pipekit.api.models import ModuleChange
from pipekit.cron import check_cron
from pipekit.definitions import edit
from pipekit.definitions.apply import apply_text
from pipekit.definitions.export import build_yaml
from pipekit.definitions.fields import OBJECTS
from pipekit.definitions.parse import Known, parse_definitions
from pipekit.definitions.plan import Change, build_plan, format_plan
from pipekit.definitions.problems import DefinitionErrors
from pipekit.definitions.records import (
    ConnectionDef,
    Definitions,
    GroupDef,
    HookDef,
    ModuleDef,
    ScheduleDef,
    WatermarkDef,
)
from pipekit.definitions.schema import build_schema, format_schema, load_schema
from pipekit.definitions.state import read_state
from pipekit.errors import Conflict, Invalid
from pipekit.fields import list_fields
from pipekit.models import Column, Guards, ModuleFields
from pipekit.models.deleting import find_deleting_problem
from pipekit.models.expecting import list_expected
from pipekit.pairs import format_pairs
from pipekit.web.kit.forms import Form
from tests.profiles import examples
from tests.states import new_state

EXAMPLE = """\
connections:
  shop: {driver: sqlite, jdbc_url: "jdbc:sqlite:shop.db"}
  dw:   {driver: postgresql, jdbc_url: "jdbc:postgresql://127.0.0.1:5432/dw", username: etl, password: $DW_PASSWORD}
modules:
  orders:
    source: shop
    query: select * from orders where updated_at >= '{since}'
    dest: dw
    table: public.orders
    strategy: incremental
    key: order_id
    create_table: true
    enabled: true
    watermarks:
      since: {connection: dw, sql: "select max(updated_at) from public.orders", default: 1900-01-01}
    hooks:
      - {sql: "analyze public.orders", run_on: success, run_order: 1}
groups:
  nightly:
    modules: [orders]
    schedules: ["0 4 * * *"]
"""


IBMI = "driver: db2i, jdbc_url: 'jdbc:as400://ibmi/SHOPLIB'"
SQLITE = "SQLite gives every value it has."


@pytest.fixture
def db(tmp_path: Path) -> Iterator[repo.State]:
    state = new_state(tmp_path / "pipekit.db")
    yield state
    state.close()


def problems_of(text: str, **options: Any) -> list[str]:
    with pytest.raises(DefinitionErrors) as caught:
        parse_definitions(text, file="orders.yaml", **options)
    return caught.value.lines()


def with_module(lines: str) -> str:
    """A file whose module `m` has these lines besides what it must have; they begin at line 4."""
    indented = "".join(f"    {line}\n" for line in lines.splitlines())
    return (
        "connections:\n  c: {driver: sqlite, jdbc_url: 'jdbc:sqlite:a.db'}\nmodules:\n  m:\n"
        + indented
        + "    source: c\n    query: select 1\n    dest: c\n    table: t\n"
    )


def actions(changes: list[Change]) -> list[tuple[str, str, str]]:
    return [(change.action, change.noun, change.name) for change in changes]


# -- reading -----------------------------------------------------------------------------------------------------------


def test_the_example_of_the_specification_is_read_whole() -> None:
    found = parse_definitions(EXAMPLE)
    module = found.modules["orders"]
    assert found.connections["dw"].password == "$DW_PASSWORD"
    assert (module.source, module.dest, module.merge_strategy, module.merge_key) == (
        "shop",
        "dw",
        "incremental",
        ("order_id",),
    )
    assert module.watermarks[0].default_value == "1900-01-01"
    assert found.groups["nightly"] == GroupDef(
        name="nightly", members={"orders": 1}, schedules={"0 4 * * *": ScheduleDef()}
    )


def test_columns_get_ids_that_no_other_column_has() -> None:
    text = with_module(
        "columns:\n"
        "  - {source_name: a, dest_name: x}\n"
        "  - {id: c1, source_name: b, dest_name: y}\n"
        "  - {source_name: c, dest_name: z}"
    )
    assert [c.id for c in parse_definitions(text).modules["m"].columns] == ["c2", "c1", "c3"]


def test_what_is_expected_of_rows_is_read_as_lists_and_kept_as_texts() -> None:
    expected = {
        "not_null": ["id", "a,b"],
        "unique": ["id", ["id", "line"], ["alone"]],
        "accepted": {"status": ["new", 1], "b:c": "x"},
        "sql": ["select 1 from {staging}", "select 2\nfrom t"],
    }
    whole = yaml.safe_load(EXAMPLE)
    whole["modules"]["m"] = {**whole["modules"]["orders"], "expect": expected}
    text = yaml.safe_dump(whole, sort_keys=False)
    module = parse_definitions(text).modules["m"]
    assert (module.expect_not_null, module.expect_unique) == ('id, "a,b"', "id\nid, line\nalone")
    assert module.expect_accepted == 'status: new, 1\n"b:c": x'
    assert [str(line) for line in list_expected(module)] == [
        "not_null: id", "not_null: a,b", "unique: id", "unique: id, line", "unique: alone",
        "accepted: status: new, 1", "accepted: b:c: x", "sql: select 1 from {staging}", "sql: select 2 ...",
    ]  # fmt: skip
    for field, value in (("accepted", ["new"]), ("unique", [""]), ("accepted", "no colon"), ("sql", {"a": "b"})):
        wrong = yaml.safe_load(text)
        wrong["modules"]["m"]["expect"] = {field: value}
        with pytest.raises(DefinitionErrors, match=f"expect.{field}"):
            parse_definitions(yaml.safe_dump(wrong))


def test_merge_keys_and_anchors_of_yaml_are_understood() -> None:
    text = (
        "connections:\n  c: &c {driver: sqlite, jdbc_url: 'jdbc:sqlite:a.db'}\n"
        "  d:\n    <<: *c\n    jdbc_url: 'jdbc:sqlite:d.db'\n"
    )
    found = parse_definitions(text).connections
    assert (found["d"].driver, found["d"].jdbc_url) == ("sqlite", "jdbc:sqlite:d.db")


def test_a_short_file_that_would_unfold_without_end_is_read_at_once() -> None:
    text = "a0: &a0 {driver: sqlite}\n"
    text += "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 60))
    assert len(problems_of(text)) == 60


# -- mistakes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("strategy: ful", "orders.yaml:5: modules.m.strategy: 'ful' is not allowed here; did you mean 'full'?"),
        (
            "stratgy: full",
            "orders.yaml:5: modules.m.stratgy: There is no field 'stratgy' here; did you mean 'strategy'?",
        ),
        ("enabled: maybe", "orders.yaml:5: modules.m.enabled: This must be true or false, not 'maybe'."),
        ("retries: 1.5", "orders.yaml:5: modules.m.retries: This must be a whole number, not '1.5'."),
        ("retries: -1", "orders.yaml:5: modules.m.retries: This must be at least 0."),
        ("guards: {shrink: 2}", "orders.yaml:5: modules.m.guards.shrink: This must be at most 1."),
        ("timeouts: {run_s: 0}", "orders.yaml:5: modules.m.timeouts.run_s: This must be more than 0."),
        ("hooks: analyze", "orders.yaml:5: modules.m.hooks: This must be a list."),
        ("hooks: [{run_on: always}]", "orders.yaml:5: modules.m.hooks[1].sql: This field is missing."),
        ("key: {a: b}", "orders.yaml:5: modules.m.key: This must be text, or a list of names."),
        ("strategy: upsert", "orders.yaml:5: modules.m.key: The strategy 'upsert' needs a merge key."),
        (
            "deletes: hard",
            "orders.yaml:5: modules.m.deletes: `deletes` is for incremental and upsert; the strategy is full: it",
        ),
        ("key: a, a", "orders.yaml:5: modules.m.key: A column stands twice in the merge key."),
        ("match: !!python/object:os.system name", "orders.yaml:5: modules.m.match: The tag "),
        ("watermarks: {'a b': {connection: c, sql: x}}", "orders.yaml:5: modules.m.watermarks.a b: A watermark's name"),
        (
            "columns: [{source_name: a, dest_name: a, dest_type: 'integer; drop table t'}]",
            "orders.yaml:5: modules.m.columns[1].dest_type: 'integer; drop table t' is not one type of SQLite.",
        ),
        ("watermarks: {a: {connection: z, sql: x}}", "orders.yaml:5: modules.m.watermarks.a.connection: There is no "),
    ],
)
def test_a_mistake_is_told_with_file_line_and_field(lines: str, told: str) -> None:
    found = problems_of(with_module(lines))
    assert [line[: len(told)] for line in found] == [told]


def test_all_mistakes_of_a_file_are_told_together_in_the_order_of_their_lines() -> None:
    text = (
        "connections:\n  c: {driver: sqlite, jdbc_url: 'jdbc:oracle:x'}\n  e: {driver: foxpro, jdbc_url: x}\n"
        "modules:\n  bad name:\n    source: nowhere\n    query: ' '\n    dest: c\n    strategy: none\n"
        "groups:\n  g:\n    modules: [gone]\n    schedules: ['0 4 * *', '0 0 30 2 *', '@sometimes']\n"
    )
    found = problems_of(text)
    assert [line.split(": ")[:2] for line in found] == [
        ["orders.yaml:2", "connections.c.jdbc_url"],
        ["orders.yaml:3", "connections.e.driver"],
        ["orders.yaml:5", "modules.bad name"],
        ["orders.yaml:5", "modules.bad name.table"],
        ["orders.yaml:6", "modules.bad name.source"],
        ["orders.yaml:7", "modules.bad name.query"],
        ["orders.yaml:9", "modules.bad name.strategy"],
        ["orders.yaml:12", "groups.g.modules[1]"],
        ["orders.yaml:13", "groups.g.schedules[1]"],
        ["orders.yaml:13", "groups.g.schedules[2]"],
        ["orders.yaml:13", "groups.g.schedules[3]"],
    ]


def test_a_connection_with_a_mistake_is_not_also_missing_to_its_modules() -> None:
    text = with_module("").replace("driver: sqlite, ", "driver: 5, ")
    assert [line.split(": ")[1] for line in problems_of(text)] == ["connections.c.driver"]


def test_a_key_that_stands_twice_is_refused() -> None:
    found = problems_of(with_module("table: t"))
    assert found == ["orders.yaml:9: modules.m.table: This key stands twice; it was first given in line 5."]


def test_names_that_differ_in_case_alone_are_refused() -> None:
    text = "groups:\n  Night: {}\n  night: {}\n"
    assert problems_of(text) == ["orders.yaml:3: groups.night: This is the same name as 'Night': case does not count."]


def test_a_password_that_is_no_reference_is_refused_and_not_repeated() -> None:
    text = EXAMPLE.replace("$DW_PASSWORD", "hunter2")
    found = problems_of(text)
    assert found[0].startswith(
        "orders.yaml:3: connections.dw.password: This must be the name of a secret, written $NAME"
    )
    assert "hunter2" not in "".join(found)


def test_a_kind_that_is_not_spelt_as_one_is_refused_with_what_may_be_meant() -> None:
    found = problems_of("connections:\n  dw: {driver: PostgreSQL, jdbc_url: 'jdbc:postgresql://h/d'}\n")
    told = "'PostgreSQL' is not the name of a kind: small letters, digits and _; did you mean 'postgresql'?"
    assert found == [f"orders.yaml:2: connections.dw.driver: {told}"]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("translate: {NAME: 70000}", "orders.yaml:5: modules.m.translate: 'NAME': This must be at most 65,534."),
        ("translate: {NAME: latin}", "'NAME' cannot be 'latin'."),
        ("translate: {NAME: [37]}", "modules.m.translate.NAME: This must be one value."),
        ("translate: [NAME]", "This must be a mapping of names to values, or text: NAME = VALUE."),
        ("translate: NAME 37", "'NAME 37' is not NAME = VALUE, with commas between several."),
        ("translate: A = 37, A = 273", "'A' stands twice."),
    ],
)
def test_pairs_that_cannot_be_are_told_with_the_name(lines: str, told: str) -> None:
    assert told in problems_of(with_module(lines))[0]


def test_pairs_are_a_mapping_or_a_text_and_are_kept_as_one_text() -> None:
    texts = ["translate: {NAME: 273, 'A, B': 37}", "translate: 'NAME=273,\"A, B\" = 37 ,'"]
    kept = {parse_definitions(with_module(text)).modules["m"].translate for text in texts}
    assert kept == {'NAME = 273, "A, B" = 37'}


@pytest.mark.parametrize("value", ["A.B", "PROD LIB", "'x'", "a;b", "1A", '"A"', "A--"])
def test_a_variable_is_one_name_and_no_sql(value: str) -> None:
    given = {"driver": "sqlite", "jdbc_url": "jdbc:sqlite:a.db", "variables": {"lib": value}}
    assert "lib" in problems_of(json.dumps({"connections": {"c": given}}))[0]


@pytest.mark.parametrize(
    "text", ["", "# only a comment\n", "a: [\n", "a: \t- b\n\x07", "- 1\n", "a: &a [*a]\n", "--- 1\n--- 2\n"]
)
def test_what_is_no_definition_file_is_refused(text: str) -> None:
    assert problems_of(text)[0].startswith("orders.yaml")


def test_deep_nesting_is_refused() -> None:
    assert problems_of("a: " + "[" * 400 + "]" * 400)


def test_references_may_go_to_what_the_state_has() -> None:
    text = "modules:\n  m: {source: SHOP, query: select 1, dest: shop, table: t}\ngroups:\n  g: {modules: [old]}\n"
    known = Known(connections={"shop": "sqlite"}, modules={"Old": None})
    found = parse_definitions(text, known=known)
    assert found.modules["m"].source == "shop"
    assert found.groups["g"].members == {"Old": 1}
    assert len(problems_of(text)) == 3


@pytest.mark.parametrize("cron", ["0 4 * * *", "*/5 8-17 * * MON-FRI", "0 0 29 2 *", "0 0 * * 7"])
def test_cron_expressions_that_come_are_accepted(cron: str) -> None:
    assert check_cron(cron) == ""


@pytest.mark.parametrize(
    "cron", ["", "* * * *", "0 0 0 4 * *", "61 * * * *", "0 0 31 4 *", "0 0 30 2 *", "@nightly", "? * * * *"]
)
def test_cron_expressions_that_never_come_or_are_none_are_refused(cron: str) -> None:
    assert check_cron(cron)


def test_a_name_like_daily_is_kept_as_the_five_fields_it_stands_for() -> None:
    found = parse_definitions("groups:\n  g: {schedules: ['@daily', {cron: '0  5 * * *', enabled: false}]}\n")
    assert found.groups["g"].schedules == {"0 0 * * *": ScheduleDef(), "0 5 * * *": ScheduleDef(enabled=False)}


# -- applying ----------------------------------------------------------------------------------------------------------


def test_applying_twice_creates_and_then_leaves(db: repo.State) -> None:
    first = actions(apply_text(db, EXAMPLE, user="ana"))
    assert first == [
        ("create", "connection", "shop"),
        ("create", "connection", "dw"),
        ("create", "module", "orders"),
        ("create", "group", "nightly"),
    ]
    assert {action for action, _, _ in actions(apply_text(db, EXAMPLE, user="ana"))} == {"leave"}
    assert read_state(db) == parse_definitions(EXAMPLE)


def test_a_dry_run_changes_nothing(db: repo.State) -> None:
    assert len(apply_text(db, EXAMPLE, dry_run=True, user="ana")) == 4
    assert read_state(db) == Definitions()


def test_a_change_tells_the_fields_and_keeps_ids(db: repo.State) -> None:
    apply_text(db, EXAMPLE, user="ana")
    before = repo.get_module_by_name(db, "orders")
    mark = repo.list_watermarks(db, before.id)[0]
    edited = EXAMPLE.replace("strategy: incremental", "strategy: upsert").replace("1900-01-01", "2000-01-01")
    edited = edited.replace("$DW_PASSWORD", "$OTHER").replace("      - {sql", "      - {sql: vacuum}\n      - {sql")
    lines = format_plan(apply_text(db, edited, user="ana"))
    assert "    password: (changed)" in lines
    assert "    strategy: incremental -> upsert" in lines
    assert "    watermarks.since.default: 1900-01-01 -> 2000-01-01" in lines
    assert "    hooks[2].sql: (none) -> analyze public.orders" in lines
    assert repo.get_module_by_name(db, "orders").id == before.id
    assert repo.list_watermarks(db, before.id)[0].id == mark.id
    assert [hook.sql for hook in repo.list_hooks(db, before.id)] == ["vacuum", "analyze public.orders"]


def test_what_a_file_makes_and_changes_is_in_the_audit_trail_with_old_and_new(db: repo.State) -> None:
    apply_text(db, EXAMPLE, user="shell:ana")
    made = [(entry.user, entry.action, entry.kind, entry.name) for entry in repo.list_audit(db)]
    assert made[::-1] == [
        ("shell:ana", "create", "connection", "shop"),
        ("shell:ana", "create", "connection", "dw"),
        ("shell:ana", "create", "module", "orders"),
        ("shell:ana", "create", "watermark", "orders: since"),
        ("shell:ana", "create", "hook", f"orders: {repo.list_hooks(db)[0].id}"),
        ("shell:ana", "create", "group", "nightly"),
        ("shell:ana", "create", "member", "nightly: orders"),
        ("shell:ana", "create", "schedule", "nightly: 0 4 * * *"),
    ]
    apply_text(db, EXAMPLE.replace("strategy: incremental", "strategy: upsert"), user="shell:bob")
    [change] = repo.list_audit(db)[: -len(made)]
    assert (change.user, change.action, change.name) == ("shell:bob", "change", "orders")
    assert change.detail == {"merge_strategy": ["incremental", "upsert"]}
    apply_text(db, EXAMPLE, user="ana", dry_run=True)
    assert len(repo.list_audit(db)) == len(made) + 1


@pytest.mark.parametrize(
    ("field", "value"), [("retries", 101), ("retries", -1), ("silence_timeout_s", 2e9), ("run_timeout_s", 0)]
)
def test_a_bound_holds_at_every_entrance(db: repo.State, field: str, value: float) -> None:
    apply_text(db, EXAMPLE, user="ana")
    module = repo.get_module_by_name(db, "orders")
    with pytest.raises(Invalid) as state:
        edit.update(db, edit.MODULE, "ana", module.id, **{field: value})
    assert state.value.field == field
    in_file = {"retries": f"retries: {value}"}.get(field, f"timeouts: {{{field.replace('_timeout', '')}: {value}}}")
    assert len(problems_of(with_module(in_file))) == 1
    with pytest.raises(ValidationError):
        ModuleChange.model_validate({field: value})
    form = Form(values={field: str(value)})
    form.read_told(field, ModuleFields)
    assert list(form.problems) == [field]


def test_limits_and_switches_of_groups_schedules_and_connections_are_applied_and_told(db: repo.State) -> None:
    apply_text(db, EXAMPLE, user="ana")
    schedule = repo.list_schedules(db)[0]
    edited = EXAMPLE.replace(
        '    schedules: ["0 4 * * *"]',
        '    parallel: 3\n    paused: true\n    schedules: [{cron: "0 4 * * *", catch_up: false}]',
    ).replace("jdbc:sqlite:shop.db", "jdbc:sqlite:shop.db, max_runs: 2")
    edited = re.sub(r'"jdbc:sqlite:shop\.db, max_runs: 2"', '"jdbc:sqlite:shop.db", max_runs: 2', edited)
    lines = format_plan(apply_text(db, edited, user="ana"))
    assert "    max_runs: (none) -> 2" in lines
    assert {"    parallel: 1 -> 3", "    paused: false -> true"} <= set(lines)
    assert "    schedules.0 4 * * *: on -> on, no catch-up" in lines
    group = repo.get_group_by_name(db, "nightly")
    assert (group.parallel, group.paused) == (3, True)
    assert repo.get_connection_by_name(db, "shop").max_runs == 2
    kept = repo.list_schedules(db)[0]
    assert (kept.id, kept.catch_up) == (schedule.id, False)
    assert actions(apply_text(db, build_yaml(read_state(db)), user="ana")) == [
        ("leave", "connection", "dw"),
        ("leave", "connection", "shop"),
        ("leave", "module", "orders"),
        ("leave", "group", "nightly"),
    ]


@pytest.mark.parametrize("text", ["parallel: 0", "parallel: 1.5", "paused: maybe", "parallel: 1001"])
def test_a_limit_or_switch_that_cannot_be_is_told_by_field(text: str) -> None:
    field = text.split(":")[0]
    assert problems_of(f"groups:\n  g: {{{text}}}\n")[0].startswith(f"orders.yaml:2: groups.g.{field}: ")


def test_a_difference_deep_in_a_long_query_is_shown_where_it_is(db: repo.State) -> None:
    old = "select " + ", ".join(f"column_{i}" for i in range(40)) + " from t"
    new = old.replace("column_30", "column_99")
    plan = build_plan(
        Definitions(modules={"m": ModuleDef(name="m", source="a", dest="b", dest_table="t", source_query=new)}),
        Definitions(modules={"m": ModuleDef(name="m", source="a", dest="b", dest_table="t", source_query=old)}),
    )
    assert "column_30" in format_plan(plan)[1]
    assert "column_99" in format_plan(plan)[1]


def test_a_name_in_another_case_is_a_rename(db: repo.State) -> None:
    apply_text(db, EXAMPLE, user="ana")
    renamed = EXAMPLE.replace("shop:", "Shop:").replace("source: shop", "source: Shop")
    lines = format_plan(apply_text(db, renamed, user="ana"))
    assert lines[:2] == ["~ connection Shop", "    name: shop -> Shop"]
    assert [line[0] for line in lines[2:]] == ["=", "=", "="]
    assert {action for action, _, _ in actions(apply_text(db, renamed, user="ana"))} == {"leave"}


def test_what_a_file_does_not_name_stays_unless_it_is_pruned(db: repo.State) -> None:
    apply_text(db, EXAMPLE, user="ana")
    small = "connections:\n  shop: {driver: sqlite, jdbc_url: 'jdbc:sqlite:shop.db'}\n"
    assert actions(apply_text(db, small, user="ana")) == [("leave", "connection", "shop")]
    assert actions(apply_text(db, small, prune=True, user="ana")) == [
        ("leave", "connection", "shop"),
        ("delete", "group", "nightly"),
        ("delete", "module", "orders"),
        ("delete", "connection", "dw"),
    ]
    assert list(read_state(db).connections) == ["shop"]


def test_a_pruned_file_may_refer_only_to_what_it_defines(db: repo.State) -> None:
    apply_text(db, EXAMPLE, user="ana")
    text = "modules:\n  m: {source: shop, query: select 1, dest: shop, table: t}\n"
    assert actions(apply_text(db, text, dry_run=True, user="ana")) == [("create", "module", "m")]
    with pytest.raises(DefinitionErrors):
        apply_text(db, text, prune=True, user="ana")


def test_a_refusal_of_the_state_undoes_everything_and_names_the_module(db: repo.State) -> None:
    apply_text(db, EXAMPLE, user="ana")
    module = repo.get_module_by_name(db, "orders")
    repo.claim_module(
        db, module.id, owner="o", lease_s=60, triggered_by="cli", dry_run=False, staging_table="pipekit_staging.orders"
    )
    with pytest.raises(Conflict, match="module orders: "):
        apply_text(db, "groups:\n  new: {}\n", prune=True, user="ana")
    assert list(read_state(db).groups) == ["nightly"]


def test_a_module_that_runs_can_be_edited_and_keeps_its_lease(db: repo.State) -> None:
    apply_text(db, EXAMPLE, user="ana")
    module = repo.get_module_by_name(db, "orders")
    repo.claim_module(
        db, module.id, owner="o", lease_s=60, triggered_by="cli", dry_run=False, staging_table="pipekit_staging.orders"
    )
    apply_text(db, EXAMPLE.replace("public.orders\n    strategy", "public.others\n    strategy"), user="ana")
    after = repo.get_module_by_name(db, "orders")
    assert (after.dest_table, after.running, after.lease_owner) == ("public.others", True, "o")


def test_a_schedule_that_stays_keeps_its_row(db: repo.State) -> None:
    apply_text(db, EXAMPLE, user="ana")
    before = repo.list_schedules(db)[0]
    apply_text(db, EXAMPLE.replace('["0 4 * * *"]', '["0 5 * * *", "0 4 * * *"]'), user="ana")
    assert before in repo.list_schedules(db)


@pytest.mark.parametrize(
    ("written", "meant"), [("null", "null"), ("'null'", "null"), ("refuse", "refuse"), ("", "refuse"), ("~", "refuse")]
)
def test_null_written_out_is_a_word_where_a_field_takes_it(written: str, meant: str) -> None:
    """YAML's own null, which leaves a field out everywhere else; what is empty leaves it out here too."""
    text = with_module(f"bad_data: {written}").replace("driver: sqlite, jdbc_url: 'jdbc:sqlite:a.db'", IBMI)
    read = parse_definitions(text)
    assert read.modules["m"].bad_data == meant
    assert parse_definitions(build_yaml(read)) == read


def test_null_for_bad_data_is_refused_where_the_source_gives_every_value() -> None:
    told = problems_of(with_module("bad_data: null"))
    assert told == [f"orders.yaml:5: modules.m.bad_data: `bad_data: null` is for a source in Db2 for i; {SQLITE}"]


# -- exporting ---------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)
VISIBLE = TEXT.filter(lambda text: bool(text.strip()))
TYPES = st.sampled_from(("", "text", "numeric(9,2)"))
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
PLAIN_NAMES = st.text(min_size=1, max_size=12).filter(
    lambda n: n == n.strip() and n.isprintable() and n.isascii() and "/" not in n and n not in ".." and not n.isdigit()
)
QUERIES = st.builds("select {} as {}".format, st.just("1"), NAMES) | st.just("select 1 -- ;\n  , 'a  \n'\nfrom t\n") | (
    st.lists(st.text("ab \t\n'%{}:#", max_size=8).map(lambda t: t.replace("'", "''")), max_size=4).map(
        lambda parts: "select '" + "\n".join(parts) + "'"
    )
)  # fmt: skip
SECONDS = st.none() | st.floats(min_value=0.001, max_value=1e6) | st.integers(1, 10_000).map(float)


KEY_NAMES = NAMES | st.sampled_from(["a,b", '"quoted"', " blanks ", 'a "b", c', "null", "007", "1900-01-01"])
VARIABLES = st.sampled_from(["PRODLIB", "#Q$@_1"])
PAIR_NAMES = NAMES | st.sampled_from(["a,b", "a = b", '"quoted"', " blanks ", "ORDER#", "007", "null"])

# Texts that stand for lists, some in a form that no list gives.
LISTED = {
    "names": ("", "id", 'id, "a,b"', "id,line"),
    "keys": ("", "id", "id\nid, line", "id\n\n"),
    "values": ("", "status: new, paid", 'a: 1\n"b:c": x', "a:  1"),
    "texts": ("", "select 1 from {staging}", "select 1\n---\nselect 2\nfrom t", "select 1\n"),
}


@st.composite
def any_plain_values(draw: st.DrawFn, record: type) -> dict[str, Any]:
    """A value within its bounds for each field a record tells, keys and parts left out: new ones are tried too."""
    kinds: dict[str, st.SearchStrategy[Any]] = {"text": VISIBLE, "flag": st.booleans()}
    values: dict[str, Any] = {}
    for f in list_fields(record):
        if not f.name or f.pattern or f.kind in ("list", "names", "object"):
            continue
        low, high = f.low or 0, min(f.high if f.high is not None else 1e6, 1e6)
        kinds |= {
            "whole": st.integers(int(low), int(high)),
            "number": SECONDS if f.above == 0 else st.floats(low, high),
        }
        kind = st.sampled_from(f.choices or LISTED.get(f.listed, ())) if f.choices or f.listed else kinds[f.kind]
        values[f.own] = draw(kind if f.required or f.default is not None else st.none() | kind)
    return values


@st.composite
def any_module(draw: st.DrawFn, name: str, connections: list[str]) -> ModuleDef:
    hooks = draw(st.lists(any_plain_values(HookDef).map(lambda values: HookDef(**values)), max_size=3))
    marks = draw(st.lists(NAMES, unique=True, max_size=3))
    names = draw(st.lists(VISIBLE, unique=True, max_size=3))
    given: dict[str, Any] = {
        **draw(any_plain_values(ModuleFields)),
        "name": name,
        "source_query": draw(QUERIES),
        "dest_table": draw(NAMES),
        "translate": format_pairs(draw(st.dictionaries(PAIR_NAMES, st.integers(1, 65534), max_size=3))),
        "merge_key": tuple(draw(st.lists(KEY_NAMES, unique=True, min_size=1, max_size=3))),
        # The sources here are no Db2 for i, and none over JDBC.
        "bad_data": "refuse",
        "query_timeout_s": None,
    }
    if find_deleting_problem(ModuleFields(**given))[0]:
        given["deletes"] = "none"
    return ModuleDef(
        **given,
        source=draw(st.sampled_from(connections)),
        dest=draw(st.sampled_from(connections)),
        watermarks=tuple(
            WatermarkDef(
                name=mark,
                connection=draw(st.sampled_from(connections)),
                resolver_sql=draw(VISIBLE),
                default_value=draw(
                    st.none() | TEXT | st.sampled_from(["", "null", "1900-01-01", "0x10", "yes", "~", "1e3"])
                ),
            )
            for mark in sorted(marks)
        ),
        hooks=tuple(sorted(hooks, key=lambda hook: hook.run_order)),
        columns=tuple(
            Column(id=f"c{i}", source_name=n, source_type=draw(NAMES), dest_name=n, dest_type=draw(TYPES))
            for i, n in enumerate(names, 1)
        ),
        guards=Guards(**draw(any_plain_values(Guards))),
    )


@st.composite
def any_definitions(draw: st.DrawFn) -> Definitions:
    connections = draw(st.lists(PLAIN_NAMES, unique_by=str.lower, min_size=1, max_size=3))
    modules = draw(st.lists(NAMES, unique=True, max_size=3))
    groups = draw(st.lists(PLAIN_NAMES, unique_by=str.lower, max_size=2))
    members = st.dictionaries(st.sampled_from(modules), st.integers(1, 9)) if modules else st.just({})
    crons = st.sampled_from(["0 4 * * *", "*/5 * * * *", "30 1 1 * MON"])
    schedules = st.builds(ScheduleDef, enabled=st.booleans(), catch_up=st.booleans())
    return Definitions(
        connections={
            name: ConnectionDef(
                name=name,
                driver="sqlite",
                jdbc_url="jdbc:sqlite:shop.db",
                username=draw(st.none() | VISIBLE),
                password=draw(st.none() | st.just("$DW_PASSWORD")),
                max_runs=draw(st.none() | st.integers(1, 9)),
                variables=format_pairs(draw(st.dictionaries(NAMES, VARIABLES, max_size=2))),
            )
            for name in connections
        },
        modules={name: draw(any_module(name, connections)) for name in modules},
        groups={
            name: GroupDef(
                name=name,
                enabled=draw(st.booleans()),
                members=draw(members),
                verified=draw(members),
                schedules=draw(st.dictionaries(crons, schedules)),
                paused=draw(st.booleans()),
                parallel=draw(st.integers(1, 9)),
            )
            for name in groups
        },
    )


@settings(max_examples=examples(80), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(any_definitions())
def test_an_export_reads_back_as_what_was_exported(definitions: Definitions) -> None:
    text = build_yaml(definitions)
    assert parse_definitions(text) == definitions
    assert build_yaml(parse_definitions(text)) == text
    jsonschema.validate(yaml.safe_load(text), load_schema(), cls=jsonschema.Draft202012Validator)


@settings(max_examples=examples(15), suppress_health_check=list(HealthCheck))
@given(definitions=any_definitions())
def test_applying_an_export_changes_nothing(definitions: Definitions, tmp_path_factory: pytest.TempPathFactory) -> None:
    db = repo.open_state(tmp_path_factory.mktemp("state") / "pipekit.db", create=True)
    try:
        apply_text(db, build_yaml(definitions), user="ana")
        exported = build_yaml(read_state(db))
        assert parse_definitions(exported) == definitions
        assert {action for action, _, _ in actions(apply_text(db, exported, prune=True, user="ana"))} <= {"leave"}
        assert build_yaml(read_state(db)) == exported
    finally:
        db.close()


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_file_cannot_make_a_name_that_no_address_can_hold_and_keeps_one_that_is_there(
    db: repo.State, dry_run: bool
) -> None:
    apply_text(db, "groups: {nightly: {parallel: 2}}", user="ana")
    with pytest.raises(Invalid, match=r"group EU/daily: .*address"):
        apply_text(db, "groups: {EU/daily: {}}", dry_run=dry_run, user="ana")
    db.change("UPDATE grp SET name = 'EU/daily'")
    assert [
        name for _, _, name in actions(apply_text(db, "groups: {EU/daily: {parallel: 3}}", dry_run=dry_run, user="ana"))
    ]
    assert repo.list_groups(db)[0].parallel == (2 if dry_run else 3)


def test_a_query_of_several_lines_is_written_as_a_block() -> None:
    query = "select a,\n       b\nfrom t\nwhere c >= '{since}'\n"
    module = ModuleDef(name="m", source="c", source_query=query, dest="c", dest_table="t")
    assert "    query: |\n      select a,\n             b\n" in build_yaml(Definitions(modules={"m": module}))


# -- the schema --------------------------------------------------------------------------------------------------------


def test_the_schema_that_ships_is_the_one_built_from_the_fields() -> None:
    assert json.dumps(load_schema(), indent=2, ensure_ascii=False) + "\n" == format_schema()


def test_the_schema_is_a_schema_and_accepts_the_example() -> None:
    jsonschema.Draft202012Validator.check_schema(build_schema())
    jsonschema.validate(yaml.safe_load(EXAMPLE.replace("1900-01-01", "'1900-01-01'")), load_schema())


@pytest.mark.parametrize("page", ["README.md", "docs/definitions.md"])
def test_the_examples_of_the_documents_are_accepted_by_parser_and_schema(page: str) -> None:
    text = (Path(__file__).resolve().parents[2] / page).read_text("utf-8")
    examples = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "connections:" in block]
    assert examples
    for example in examples:
        parse_definitions(example, file=page)
        jsonschema.validate(yaml.safe_load(example), load_schema())


def test_the_schema_knows_the_fields_of_the_parser() -> None:
    schema = load_schema()
    for kind, fields in OBJECTS.items():
        known = schema if kind == "file" else schema["$defs"][kind]
        assert set(known["properties"]) == {f.name for f in fields}
        assert known["additionalProperties"] is False


@pytest.mark.parametrize(
    "lines", ["strategy: ful", "stratgy: full", "retries: -1", "guards: {shrink: 2}", "hooks: [{run_on: always}]"]
)
def test_the_schema_refuses_what_the_parser_refuses(lines: str) -> None:
    text = with_module(lines)
    assert problems_of(text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), load_schema())
