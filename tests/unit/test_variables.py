# What {name} stands for by connection: filled into all that a module asks and names. Opens nothing.
"""Queries, tables, watermarks and hooks get the variables of the connection they are for."""

from typing import Any

import pytest

from pipekit.engine.definition import Definition
from pipekit.engine.variables import fill_definition
from pipekit.errors import Invalid
from pipekit.models import Connection, Hook, Module, Watermark


def connect(name: str, variables: str) -> Connection:
    return Connection(id=1, name=name, driver="db2i", jdbc_url="jdbc:as400://h", variables=variables)


def define(source: str = "lib = SRC", dest: str = "lib = DST", **more: Any) -> Definition:
    given = {"source_query": "select * from {lib}.t where a > {low}", "dest_table": "{lib}.T", **more}
    module = Module(id=1, name="m", source_id=1, dest_id=2, **given)
    mark = Watermark(id=1, module_id=1, connection_id=3, name="low", resolver_sql="select max(a) from {lib}.t")
    hooks = (Hook(id=1, module_id=1, sql="call {lib}.done('{low}')"),)
    marks = ((mark, connect("third", "lib = THIRD")),)
    return Definition(
        module=module, source=connect("s", source), dest=connect("d", dest), watermarks=marks, hooks=hooks
    )


def test_each_text_has_the_variables_of_its_own_connection() -> None:
    filled = fill_definition(define())
    assert filled.module.source_query == "select * from SRC.t where a > {low}"
    assert filled.module.dest_table == "DST.T"
    assert [mark.resolver_sql for mark, _ in filled.watermarks] == ["select max(a) from THIRD.t"]
    assert [hook.sql for hook in filled.hooks] == ["call DST.done('{low}')"]
    expected = fill_definition(define(dest="lib = DST, staging = X", expect_sql="select 1 from {lib}.t, {staging}"))
    assert expected.module.expect_sql == "select 1 from DST.t, {staging}"


def test_a_name_of_both_kinds_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(Invalid, match=r"'low' is a watermark of the module and a variable of its source 's'\."):
        fill_definition(define(source="lib = SRC, low = X"))


def test_a_table_with_a_variable_that_its_connection_lacks_is_refused_unless_the_braces_are_in_quotes() -> None:
    with pytest.raises(Invalid, match=r"has \{lib\}, and the connection 'd' has no such variable"):
        fill_definition(define(dest=""))
    assert fill_definition(define(dest="", dest_table='"{x}"')).module.dest_table == '"{x}"'
