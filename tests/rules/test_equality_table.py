# The table of how values are held to be equal is what the drivers say. Reads a document.
"""`docs/trust.md` against `pipekit.drivers.equality`."""

from pathlib import Path

from pipekit.drivers.equality import build_equality_tables

PAGE = Path(__file__).resolve().parents[2] / "docs" / "trust.md"


def test_the_document_says_of_each_type_what_its_driver_compares() -> None:
    assert build_equality_tables() in PAGE.read_text("utf-8"), "run: python -m pipekit.drivers.equality"
