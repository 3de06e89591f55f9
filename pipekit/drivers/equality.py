# How each kind of dest tells whether two values of a column are the same, as a table for people. Pure text.
"""`build_equality_tables`: a part of docs/trust.md, kept current by a test."""

import sys
from collections.abc import Iterator, Sequence

from pipekit.drivers import DRIVERS, get_driver
from pipekit.drivers.base import Driver, MergePlan, StagedColumn, TableColumn, TableName
from pipekit.drivers.jdbc.products import PRODUCTS
from pipekit.runner_contract import ResultColumn


def build_equality_tables() -> str:
    """For each kind that compares: what stands for a value `x`, and the types that it stands for."""
    drivers = {get_driver(kind).label: get_driver(kind) for kind in (*DRIVERS, *PRODUCTS)}
    rows = [line for label in sorted(drivers) for line in _list_rows(label, drivers[label])]
    return "\n".join(["| dest | compared is | of the types |", "|---|---|---|", *rows]) + "\n"


def _list_rows(label: str, driver: Driver) -> Iterator[str]:
    found: dict[str, list[str]] = {}
    for type_text in dict.fromkeys(driver.type_examples):
        found.setdefault(_express(driver, type_text), []).append(type_text)
    if {*found} <= {""}:
        return
    for expression in sorted(found, key=lambda each: (each == "", len(each))):
        told = f"`{expression}`" if expression else "not compared, and said so"
        yield f"| {label} | {told} | {_list_types(found[expression])} |"


def _list_types(types: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in types)


def _express(driver: Driver, type_text: str) -> str:
    """As `build_bags` has it, with `x` for the column."""
    name = driver.fold_name("x")
    column = StagedColumn(source=ResultColumn(name="x"), dest=TableColumn(name=name, type=type_text))
    table = TableName(schema=None, name=driver.fold_name("t"))
    bags = driver.build_bags(MergePlan(strategy="full", staging=table, dest=table, columns=(column,)))
    if bags is None or not bags.names:
        return ""
    quoted = driver.quote_identifier(name)
    for alias in ("d.", "dest."):
        if f"{alias}{quoted}" in bags.held[0]:
            return bags.held[0].replace(f"{alias}{quoted}", "x").replace("|", "\\|")
    return bags.held[0].replace(quoted, "x").replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(build_equality_tables())
