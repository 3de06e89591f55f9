# The connection to PostgreSQL. Loaded in the runner child only.
"""`connect(endpoint)`; link, session, source and sink are in modules of their own."""

from pipekit.drivers.postgresql.link import open_link
from pipekit.drivers.postgresql.names import parse_url
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.drivers.postgresql.settings import Pins
from pipekit.errors import ConnectFailed
from pipekit.runner_contract import Endpoint

_READ_ONLY_MEND = "Give the dest a connection of its own, or take readOnly out of this one's address."


def connect(endpoint: Endpoint) -> PostgresSession:
    """Opens a session whose transactions have pinned settings; raises ConnectFailed, which never holds the password."""
    more = {"application_name": endpoint.application_name}
    options = parse_url(endpoint.jdbc_url).options
    if "readOnly" in options and not endpoint.read_only:
        raise ConnectFailed("The address says readOnly=true, and rows are to be written.", hint=_READ_ONLY_MEND)
    if schema := options.get("currentSchema"):
        more["search_path"] = schema
    return PostgresSession(open_link(endpoint), Pins(endpoint.read_only, more), endpoint.trim_char)
