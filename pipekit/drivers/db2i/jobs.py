# The job that serves a connection, and what it is told of who is at the other end. Loaded in the runner child only.
"""`name_job` and `build_client_info`: what an operator of the system sees in WRKACTJOB, and in whose name."""

import socket
from typing import Any

from pipekit.drivers.jdbc.jvm import JavaError, find_class
from pipekit.runner_contract import Endpoint

PROGRAM = "pipekit"


def name_job(connection: Any) -> str:
    """`number/user/name`, as the system's own commands take it; `""` where the driver does not tell."""
    try:
        found = str(connection.getServerJobIdentifier() or "")
    except (JavaError, AttributeError):
        return ""
    parts = found[20:26].strip(), found[10:20].strip(), found[:10].strip()
    return "/".join(parts) if all(parts) else found.strip()


def build_client_info(endpoint: Endpoint) -> Any:
    """The special registers CURRENT CLIENT_...: the run, its login, this machine and the program."""
    info = find_class("java.util.Properties")()
    told = {
        "ApplicationName": endpoint.application_name,
        "ClientUser": endpoint.username or "",
        "ClientHostname": socket.gethostname(),
        "ClientProgramID": PROGRAM,
    }
    for name, value in told.items():
        info.setProperty(name, value)
    return info
