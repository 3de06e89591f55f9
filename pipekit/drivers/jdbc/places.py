# Where an address leads: to a server, or to a file of this machine. Pure text; looks at no file.
"""`find_file`: a server is what is known to be one; anything else counts as a file."""

import re
from collections.abc import Collection

from pipekit.drivers.jdbc.product import Product

# What stands behind `jdbc:` for drivers that speak to servers and open no database of this machine.
_SERVERS = """
    bigquery cassandra ch clickhouse cubrid databricks datadirect:openedge denodo dm edb exa firebird firebirdsql
    gaussdb hive2 impala informix-sqli ingres iris kingbase kingbase8 monetdb netezza nuodb oceanbase opengauss
    pervasive pgsql presto redshift sap singlestore snowflake spark starrocks sybase:tds tarantool teradata trino
    vertica voltdb yugabytedb
"""
SERVERS = frozenset(_SERVERS.split())
# `//host`, or `host:port`: a name alone could be that of a file.
_HOST = re.compile(
    r"(?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][\w.-]*)(?::\d{1,5})?|[A-Za-z0-9][\w.-]*:\d{1,5})(?=[/:;?,]|\Z)", re.ASCII
)
_WORD = re.compile(r"jdbc:(?:([^/;?]+)(?=://)|([^:/]+):)", re.IGNORECASE)
_LOCAL_WORDS = ("file:", "directory:")


def find_word(jdbc_url: str) -> str:
    """What stands behind `jdbc:`, in small letters: all before `://`, else the first word."""
    found = _WORD.match(jdbc_url)
    return (found[1] or found[2]).lower() if found else ""


def find_file(product: Product, jdbc_url: str, servers: Collection[str] = ()) -> str | None:
    """The file of this machine that an address names, as its driver would read it; None for a server.

    `servers` are further words, in small letters, of drivers that speak to servers alone. The address is one that
    `parse_url` has taken.
    """
    if product.schemes:
        rest = next(jdbc_url[len(scheme) :] for scheme in product.schemes if jdbc_url.startswith(scheme))
        return None if rest.startswith(product.remote) else _cut_word(rest.partition(";")[0])
    known = [word for word in (*SERVERS, *servers) if jdbc_url.lower().startswith(f"jdbc:{word}:")]
    if any(_HOST.match(jdbc_url, len(f"jdbc:{word}:")) for word in known):
        return None
    rest = jdbc_url[len(f"jdbc:{find_word(jdbc_url)}:") :]
    # Nobody knows what else such a driver takes for a parameter: all of it counts as the name.
    return rest.removeprefix("//") if rest.startswith("///") else rest


def _cut_word(rest: str) -> str:
    word = next((word for word in _LOCAL_WORDS if rest.startswith(word)), "")
    return rest.removeprefix(word)
