# What {name} stands for by the connection that is asked: a library, a schema. Knows no state and no remote.
"""`fill`, `list_variables` and `fill_definition`: a test and a production system share their modules.

A variable belongs to a connection, a watermark to a module. Both stand in braces, so none may have the other's name.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from pipekit.engine.definition import Definition
from pipekit.engine.watermarks.places import PLACEHOLDER
from pipekit.engine.watermarks.resolve import fill_placeholders
from pipekit.errors import Invalid
from pipekit.models import Connection
from pipekit.pairs import parse_pairs

_QUOTED = re.compile(r'"[^"]*"')


def list_variables(connection: Connection) -> Mapping[str, str]:
    """A connection's variables by name."""
    return parse_pairs(connection.variables)


def fill(connection: Connection, text: str) -> str:
    """SQL or a name as this connection is asked it; other braces are left alone."""
    return fill_placeholders(text, list_variables(connection))


def fill_table(connection: Connection, table: str) -> str:
    """The name of a table. Raises Invalid for a variable that the connection does not have."""
    filled = fill(connection, table)
    if missing := PLACEHOLDER.search(_QUOTED.sub("", filled)):
        message = f"The table {table} has {missing[0]}, and the connection '{connection.name}' has no such variable."
        raise Invalid(message, field="dest_table", hint=f"Give it one: {missing[1]} = NAME in `variables`.")
    return filled


def fill_definition(definition: Definition) -> Definition:
    """What a run is made of, each text as its connection is asked it. Raises Invalid for a name of both kinds."""
    source, dest = definition.source, definition.dest
    check_names([mark.name for mark, _ in definition.watermarks], source)
    module = replace(
        definition.module,
        source_query=fill(source, definition.module.source_query),
        dest_table=fill_table(dest, definition.module.dest_table),
        deletes_keys=fill(source, definition.module.deletes_keys),
        deletes_where=fill(dest, definition.module.deletes_where),
        expect_sql=_fill_expected(dest, definition.module.expect_sql),
    )
    watermarks = tuple(
        (replace(mark, resolver_sql=fill(connection, mark.resolver_sql)), connection)
        for mark, connection in definition.watermarks
    )
    hooks = tuple(replace(hook, sql=fill(dest, hook.sql)) for hook in definition.hooks)
    return replace(definition, module=module, watermarks=watermarks, hooks=hooks)


def _fill_expected(dest: Connection, text: str) -> str:
    """Where `{staging}` is the run's own table, whatever a connection calls so."""
    return fill_placeholders(text, {name: value for name, value in list_variables(dest).items() if name != "staging"})


def check_names(watermarks: list[str], source: Connection) -> None:
    """Raises Invalid where a watermark of a module has the name of a variable of its source."""
    both = sorted(set(watermarks) & set(list_variables(source)))
    if both:
        message = f"'{both[0]}' is a watermark of the module and a variable of its source '{source.name}'."
        raise Invalid(message, field="name", hint="Give one of them another name: both stand as {name} in the query.")
