# Why no connection comes about: the login, the certificate, the network. Pure text; knows no connection.
"""A refused connection as ConnectFailed, told as what it is."""

import re

from pipekit.drivers.sqlserver.faults import Fault
from pipekit.errors import ConnectFailed

# What a refused login says, and the number the client library keeps to itself. The first that fits counts.
_LOGIN_WORDS = (
    ("cannot open database", "4060"),
    ("cannot open user default database", "4064"),
    ("is not able to access the database", "916"),
    ("script upgrade mode", "18401"),
    ("not currently available", "40613"),
    ("is not allowed to access the server", "40615"),
    ("untrusted domain", "18452"),
    ("account is disabled", "18470"),
    ("locked out", "18486"),
    ("password of the account has expired", "18487"),
    ("password of the account must be changed", "18488"),
    ("login failed", "18456"),
)
_REFUSED_LOGIN = "invalid authorization"
_NO_DATABASE = "The login was taken, the database was not: check its name, and that the login may use it."
_LOGIN_HINTS = {
    "18456": (
        "Check the username and password, and that the database is there and the login may use it; the client library "
        "tells these apart no further, and the server's own log does."
    ),
    "4060": _NO_DATABASE,
    "916": _NO_DATABASE,
}

_CERTIFICATE = re.compile(r"certificate (?:verify|validation) failed|does not match host ?name", re.IGNORECASE)
_NO_ENCRYPTION = re.compile(r"encryption not supported|does not support encryption|wrong version number", re.IGNORECASE)
_HANDSHAKE = re.compile(r"TLS handshake|SSL routines|SSL Provider", re.IGNORECASE)
_CERTIFICATE_HINT = (
    "In the connection's address: hostNameInCertificate=NAME where the certificate is made out to another name than "
    "the host's, or trustServerCertificate=true, which takes any certificate. Better: let this machine trust the "
    "authority that signed it. encrypt=false needs none where the server does not insist on encryption."
)
_NO_ENCRYPTION_HINT = (
    "In the connection's address: encrypt=true where it is strict, which SQL Server has from 2022 on; encrypt=false "
    "where the server has no certificate, and everything on the network between may be read."
)
_HANDSHAKE_HINT = (
    "Server and client found no common encryption. In the connection's address look at encrypt (strict needs SQL "
    "Server 2022), trustServerCertificate and hostNameInCertificate."
)
_LIBRARY_HINT = "`pipekit doctor` says which native libraries load here, and why others do not."
_NETWORK_HINT = "Check the host and the port, that SQL Server listens on TCP, and that no firewall is between."


def read_connect_fault(text: str, kind: str) -> Fault:
    """A refused connection; `kind` is what the client library calls it, which is English whatever the server speaks."""
    found = next((number for words, number in _LOGIN_WORDS if words in text.lower()), "")
    if not found and _REFUSED_LOGIN in kind.lower():
        found = "18456"
    return Fault(text, found)


def build_connect_failure(fault: Fault, where: str) -> ConnectFailed:
    """No connection; `where` is host and port. What an address must be changed for is not worth another try."""
    if "failed to load the driver" in fault.text.lower():
        return ConnectFailed(f"The driver of SQL Server cannot be loaded: {fault.text}", hint=_LIBRARY_HINT)
    if _CERTIFICATE.search(fault.text):
        return ConnectFailed(f"{where}: The server's certificate is not accepted: {fault.text}", hint=_CERTIFICATE_HINT)
    if _NO_ENCRYPTION.search(fault.text):
        return ConnectFailed(f"{where}: The server does not encrypt as asked: {fault.text}", hint=_NO_ENCRYPTION_HINT)
    hint = _LOGIN_HINTS.get(fault.number, "")
    if not fault.number and _HANDSHAKE.search(fault.text):
        hint = _HANDSHAKE_HINT
    elif not fault.number and fault.is_transient:
        hint = _NETWORK_HINT
    return ConnectFailed(f"{where}: {fault.text}", hint=hint, transient=fault.is_transient, sqlstate=fault.code)
