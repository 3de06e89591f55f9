# Where the demo's rows go: a second SQLite file, or a PostgreSQL of its own. Knows nothing of the shop.
"""The dest of the demo, and the definition file that names it."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

SQLITE_LINE = '  warehouse: {driver: sqlite, jdbc_url: "jdbc:sqlite:warehouse.db"}\n'
POSTGRES_LINE = '  warehouse: {{driver: postgresql, jdbc_url: "{url}", username: postgres}}\n'


def read_definition() -> str:
    """The definition file as it ships: `shop.yaml`, which is the example of the documents too."""
    return files("pipekit.demo").joinpath("shop.yaml").read_text(encoding="utf-8")


@contextmanager
def open_warehouse(folder: Path, postgres: bool) -> Iterator[str]:
    """The definition file's text for a dest that can be used inside the block."""
    definition = read_definition()
    if not postgres:
        yield definition
        return
    from pipekit.demo.postgres import LocalPostgres

    with LocalPostgres(folder / "postgres") as server:
        server.create_database("warehouse")
        yield definition.replace(SQLITE_LINE, POSTGRES_LINE.format(url=server.jdbc_url("warehouse")))
