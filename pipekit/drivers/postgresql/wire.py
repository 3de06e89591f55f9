# The connection to PostgreSQL. Loaded in the runner child only.
"""`connect(endpoint)`; link, session, source and sink are in modules of their own."""

from pipekit.drivers.postgresql.link import open_link
from pipekit.drivers.postgresql.names import parse_url
from pipekit.drivers.postgresql.session import PostgresSession
from pipekit.drivers.postgresql.settings import Pins
from pipekit.runner_contract import Endpoint


def connect(endpoint: Endpoint) -> PostgresSession:
    """Opens a session whose transactions have pinned settings; raises ConnectFailed, which never holds the password."""
    more = {"application_name": endpoint.application_name}
    if schema := parse_url(endpoint.jdbc_url).options.get("currentSchema"):
        more["search_path"] = schema
    return PostgresSession(open_link(endpoint), Pins(endpoint.read_only, more), endpoint.trim_char)
