# How databases over JDBC change a column, by the words of each that was run. Pure text; opens nothing.
"""`find_refusal` and `build`: what a product was never seen to do is refused, so is a type that may lose a value."""

from collections.abc import Callable

from pipekit.drivers.altering import is_wider
from pipekit.drivers.jdbc.product import Product
from pipekit.drivers.types import Type
from pipekit.models.altering import Change
from pipekit.runner_contract import Statement

_NEVER_SEEN = "Pipekit has never seen {label} {what} a column"
_DOES = {"rename": "rename", "retype": "change the type of", "drop": "drop"}
_NARROWER = "nobody can look whether {label} would change values on the way; whole numbers, decimals and texts can grow"


def find_refusal(product: Product, what: Change, types: tuple[Type, Type]) -> str:
    """Why a column cannot be changed so; `types` are those it has and gets, the same where it keeps its own."""
    if what not in product.alters:
        return _NEVER_SEEN.format(label=product.label, what=_DOES[what])
    if what == "retype" and product.lengthens_only and types[0].name != "text":
        return f"{product.label} can make a text longer, and changes no other type"
    return _NARROWER.format(label=product.label) if what == "retype" and not is_wider(*types) else ""


def build(product: Product, what: Change, quote: Callable[[str], str], **names: str) -> tuple[Statement, ...]:
    """The statement: `table` is quoted, `column` and `name` are not, `type` stands as it is."""
    quoted = {key: quote(name) for key, name in names.items() if key in ("column", "name")}
    return (Statement(sql=product.alters[what].format(**{**names, **quoted})),)
