# Names over JDBC: quoting with the product's own mark, folding of names that stand without quotes. Pure text.
"""How tables and columns are named."""

import re
from hashlib import sha256

from pipekit.drivers.jdbc.product import Fold, Product
from pipekit.drivers.sqltext import SMALL
from pipekit.errors import Invalid


def quote_name(product: Product, name: str) -> str:
    """A name in quotes; raises Invalid for one the product cannot keep whole."""
    if not name or "\0" in name:
        raise Invalid("A name cannot be empty or hold a NUL character.")
    if len(name.encode("utf-8", "surrogatepass")) > product.max_name_bytes:
        raise Invalid(f"The name '{name[:40]}' is longer than {product.max_name_bytes} bytes.")
    return product.quote + name.replace(product.quote, product.quote * 2) + product.quote


def fit_name(product: Product, name: str, suffix: str) -> str:
    """A name and its suffix; in the middle a mark of the name where the product could not keep all of it."""
    if len((name + suffix).encode()) <= product.max_name_bytes:
        return name + suffix
    mark = sha256(name.encode()).hexdigest()[:8] + suffix
    return name.encode()[: product.max_name_bytes - len(mark.encode())].decode(errors="ignore") + mark


def read_table(product: Product, text: str) -> tuple[tuple[str, bool], ...]:
    """`orders`, `shop.orders` or with quotes -> its names, and which stood in quotes."""
    parts: list[tuple[str, bool]] = []
    position, more = 0, True
    mark = re.escape(product.quote)
    pattern = re.compile(rf"\s*(?:{mark}((?:[^{mark}]|{mark}{mark})+){mark}|([^{mark}.\s][^{mark}.]*?))\s*(\.|\Z)")
    while more:
        match = pattern.match(text, position)
        if match is None:
            raise Invalid(f"'{text}' is not the name of a table.", field="table", hint="Write table or schema.table.")
        quoted, plain, separator = match.groups()
        name = plain if quoted is None else quoted.replace(product.quote * 2, product.quote)
        quote_name(product, name)
        parts.append((name, quoted is not None))
        position, more = match.end(), separator == "."
    if len(parts) > 2:
        raise Invalid(f"'{text}' has more than a schema and a table.", field="table", hint="Write schema.table.")
    return tuple(parts)


def fold_name(product: Product, name: str, fold: Fold) -> str:
    """A name that stood without quotes as a database that folds so stores it; one with odd characters stays."""
    first = r"[^\W\d]|[$#@]" if product.name in ("db2i", "db2") else r"[^\W\d]"
    if fold == "keep" or not re.fullmatch(rf"(?:{first})[\w$#@]*", name):
        return name
    if fold == "upper":
        return name.upper()
    return name.translate(SMALL)
