# Holds the document of types to the code that writes it. Knows no database.
"""docs/types.md."""

from pathlib import Path

from pipekit.drivers import DRIVERS, get_driver
from pipekit.drivers.typetable import build_type_table

PAGE = Path(__file__).parents[2] / "docs" / "types.md"


def test_the_document_of_types_is_what_the_drivers_say() -> None:
    drivers = [get_driver(kind) for kind in DRIVERS]
    assert PAGE.read_text(encoding="utf-8") == build_type_table(drivers), (
        "run: python -m pipekit.drivers.typetable > docs/types.md"
    )


def test_every_driver_lists_examples_of_its_types() -> None:
    for kind in DRIVERS:
        assert get_driver(kind).type_examples, kind
