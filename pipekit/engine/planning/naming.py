# Names of columns and tables that are made: cleaned, folded as the dest folds, none twice. Opens no database.
"""`name_columns`: what a dest calls the columns of a query, whether the wizard makes it or a run."""

from collections.abc import Collection, Iterable, Sequence

from pipekit.drivers.base import Driver, TableName
from pipekit.errors import Invalid, RunFailed
from pipekit.models import Column
from pipekit.runner_contract import Query


def clean_name(text: str, longest_bytes: int = 60, *, lower: bool = False) -> str:
    """A name without spaces and odd characters: `Order No.` -> `Order_No`; `""` when nothing is left."""
    kept = "".join(char if char.isalnum() or char == "_" else "_" for char in text.strip())
    while "__" in kept and "__" not in text:
        kept = kept.replace("__", "_")
    kept = kept.strip("_") if not text.strip().startswith("_") else kept.rstrip("_")
    kept = f"_{kept}" if kept[:1].isdigit() else kept
    while len(kept.encode()) > longest_bytes:
        kept = kept[:-1]
    return kept.lower() if lower else kept


def propose_name(driver: Driver, source_name: str) -> str:
    """What a column is called in a table that is made: as the dest stores a name without quotes; `""` for no name."""
    return driver.fold_name(clean_name(source_name, driver.max_identifier_bytes, lower=True))


def propose_names(driver: Driver, source_names: Sequence[str], taken: Collection[str] = ()) -> list[str]:
    """A name for each column, none of them twice or in `taken`, whatever its case.

    A column that is called so already keeps its name before another one that only comes to it by cleaning.
    """
    proposed = [propose_name(driver, name) or f"column_{number}" for number, name in enumerate(source_names, 1)]
    own = [name.casefold() == given.casefold() for name, given in zip(proposed, source_names, strict=True)]
    used = {name.casefold() for name in taken}
    found: dict[int, str] = {}
    for number in sorted(range(len(proposed)), key=lambda number: not own[number]):
        found[number] = _free_name(proposed[number], used)
        used.add(found[number].casefold())
    return [found[number] for number in range(len(proposed))]


def name_columns(driver: Driver, mapping: Sequence[Column], source_names: Sequence[str]) -> list[str]:
    """The dest's name of each column of a query: that of the module's mapping, else the one that is proposed."""
    mapped = [find_mapped_name(mapping, name) for name in source_names]
    rest = [name for name, given in zip(source_names, mapped, strict=True) if not given]
    free = iter(propose_names(driver, rest, [name for name in mapped if name]))
    return [name or next(free) for name in mapped]


def next_column_id(columns: Sequence[Column]) -> str:
    """`c4` after c1 to c3; an id that was used is not used again while a later one is there."""
    numbers = [int(column.id[1:]) for column in columns if column.id[1:].isdecimal()]
    return f"c{max(numbers, default=0) + 1}"


def find_mapped_name(mapping: Sequence[Column], source_name: str) -> str:
    """The dest name that a column mapping gives a source column, `""` where it gives none."""
    exact = {column.source_name: column.dest_name for column in mapping}
    folded = {column.source_name.casefold(): column.dest_name for column in mapping}
    return exact.get(source_name) or folded.get(source_name.casefold()) or ""


def find_named(driver: Driver, wanted: str, names: Iterable[str]) -> str | None:
    """Which of a dest's columns is meant: the same name, the same but for case, or what is made of the name."""
    known = list(names)
    if wanted in known:
        return wanted
    for text in (wanted, propose_name(driver, wanted)):
        alike = [name for name in known if name.casefold() == text.casefold()]
        if alike:
            return alike[0]
    return None


def format_table(driver: Driver, schema: str, name: str) -> str:
    """A table that a person names by two fields as a module names it: in quotes where it is no plain name.

    Raises Invalid for a name the dest cannot have.
    """
    return ".".join(_format_part(driver, part) for part in (schema, name) if part)


def check_alike(driver: Driver, query: Query, table: TableName) -> None:
    """Raises RunFailed where a table that is missing has a neighbour whose name differs by its case only."""
    alike = " and ".join(driver.write_table(found) for found in driver.find_alike(query, table))
    if alike:
        message = (
            f"There is no dest table {driver.write_table(table)}, but {alike}: they differ in upper and lower case."
        )
        hint = f"Name the dest as it is written there: {alike}. No second table is made beside it."
        raise RunFailed(message, stage="check", hint=hint)


def _format_part(driver: Driver, part: str) -> str:
    try:
        is_one_name = len(driver.read_table(part)) == 1 and driver.parse_table(part).schema is None
    except Invalid:
        is_one_name = False
    return part if is_one_name else driver.quote_identifier(part)


def _free_name(name: str, taken: Collection[str]) -> str:
    found, number = name, 2
    while found.casefold() in taken:
        found, number = f"{name}_{number}", number + 1
    return found
