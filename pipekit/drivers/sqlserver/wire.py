# The connection to SQL Server. Loaded in the runner child only.
"""`connect(endpoint)`; link, session, source and sink are in modules of their own."""

from pipekit.drivers.sqlserver.link import open_link
from pipekit.drivers.sqlserver.session import SqlServerSession
from pipekit.drivers.sqlserver.settings import SETTINGS, find_unset
from pipekit.errors import ConnectFailed, StatementFailed
from pipekit.runner_contract import Endpoint


def connect(endpoint: Endpoint) -> SqlServerSession:
    """Opens a session with pinned settings; raises ConnectFailed, which never holds the password."""
    link = open_link(endpoint)
    try:
        unset = find_unset(link.run(SETTINGS)[1])
    except StatementFailed as error:
        link.close()
        raise ConnectFailed(error.message, transient=error.transient, sqlstate=error.sqlstate) from None
    if unset:
        link.close()
        raise ConnectFailed(
            f"Settings of the session did not arrive: {', '.join(unset)}.",
            hint="Something between here and the server drops them: connect to the server itself.",
        )
    return SqlServerSession(link, endpoint.read_only, endpoint.trim_char)
