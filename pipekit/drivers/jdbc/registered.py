# The drivers of kinds that are not built in: each of its product's class. Pure; loads no jar.
"""`get_jdbc_driver`."""

from functools import cache

from pipekit.drivers.jdbc.driver import JdbcDriver
from pipekit.drivers.jdbc.mysql.driver import MysqlDriver
from pipekit.drivers.jdbc.postgresql import PostgresqlDriver
from pipekit.drivers.jdbc.products import find_product

# Those that differ by more than a few words.
_CLASSES: dict[str, type[JdbcDriver]] = {"mysql": MysqlDriver, "mariadb": MysqlDriver, "postgresql": PostgresqlDriver}


@cache
def get_jdbc_driver(kind: str) -> JdbcDriver:
    """The driver of a kind that is not built in; its product is the one its name begins with."""
    product = find_product(kind)
    label = product.label if kind == product.name else f"{product.label} ({kind})"
    more = {
        "kind": kind,
        "label": label,
        "url_example": product.url_example,
        "version_sql": product.version_sql,
        "max_identifier_bytes": product.max_name_bytes,
        "java_class": product.java_class,
        "may_be_embedded": bool(product.local) or not product.schemes,
        "product": product,
    }
    driver: JdbcDriver = type(
        "RegisteredDriver", (_CLASSES.get(product.name, JdbcDriver),), {**more, "__module__": __name__}
    )()
    return driver
