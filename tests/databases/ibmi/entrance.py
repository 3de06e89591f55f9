# What comes before the database: port mapper, sign-on, and how every server starts. Any password is right.
"""`map_port`, `sign_on`, `answer_start` and `pass_socks_door`.

Ports below 1024 are not for everybody: a SOCKS door of the double leads 449 and the others of any host to it.
"""

import datetime as dt
import socket
import struct
from collections.abc import Callable, Mapping

from tests.databases.ibmi.wire import (
    CODECS,
    Gone,
    Request,
    build_part,
    build_reply,
    get_short,
    put_long,
    put_short,
    read_exactly,
    receive,
)

MAPPER_PORT, DATABASE_PORT, SIGNON_PORT = 449, 8471, 8476
PORTS = {"as-database": DATABASE_PORT, "as-signon": SIGNON_PORT}
# Names of users that are refused, and why.
REFUSED = {"NOBODY": 0x00020001, "DISABLED": 0x00020002, "WRONG": 0x0003000B}
_SEED = bytes(range(1, 9))

Serve = Callable[[socket.socket], None]


def map_port(connection: socket.socket) -> None:
    """Tells the port of a service by its name; the question has neither length nor end."""
    port = PORTS.get(connection.recv(64).decode("ascii"))
    connection.sendall(b"+" + put_long(port) if port else b"-" + put_long(0))


def sign_on(connection: socket.socket, version: int, ccsid: int, job: str) -> None:
    """Attributes, then who it is, then the end."""
    while (request := receive(connection)).id != 0x7006:
        if request.id == 0x7003:
            connection.sendall(build_reply(request, 0xF003, put_long(0), _describe(version, ccsid, job)))
        elif request.id == 0x7004:
            connection.sendall(_answer_user(request, ccsid))
        else:
            raise ValueError(f"unknown sign-on request {request.id:04x}")


def _describe(version: int, ccsid: int, job: str) -> bytes:
    """The driver looks for the first three at fixed places. Password level 0: ten characters."""
    return (
        build_part(0x1101, put_long(version))
        + build_part(0x1102, put_short(7))
        + build_part(0x1103, _SEED)
        + build_part(0x1119, b"\0")
        + _build_job(ccsid, job)
    )


def _answer_user(request: Request, ccsid: int) -> bytes:
    refused = REFUSED.get(request.parts.get(0x1104, b"").decode("cp037").strip(), 0)
    now = dt.datetime.now()
    stamp = struct.pack(">HBBBBBB", now.year, now.month, now.day, now.hour, now.minute, now.second, 0)
    parts = build_part(0x1106, stamp) + build_part(0x1107, stamp) + build_part(0x1114, put_long(ccsid))
    return build_reply(request, 0xF004, put_long(refused), b"" if refused else parts)


def answer_start(request: Request, ccsid: int, job: str) -> bytes | None:
    """The answer to one of the two requests that the database server starts with; None for another."""
    if request.id == 0x7001:
        return build_reply(request, 0xF001, put_long(0) + _SEED)
    if request.id == 0x7002:
        user = build_part(0x1104, put_long(ccsid) + "QUSER".encode(CODECS[ccsid]))
        return build_reply(request, 0xF002, put_long(0), user + _build_job(ccsid, job))
    return None


def _build_job(ccsid: int, job: str) -> bytes:
    return build_part(0x111F, put_long(ccsid) + job.encode(CODECS[ccsid]))


def pass_socks_door(connection: socket.socket, find: Callable[[str, int], Serve | None]) -> None:
    """SOCKS 5 without a login: `find` says who serves a port of a host; a number is as good a host as a name."""
    read_exactly(connection, read_exactly(connection, 2)[1])
    connection.sendall(b"\x05\x00")
    kind = read_exactly(connection, 4)[3]
    sizes: Mapping[int, int] = {1: 4, 4: 16}
    where = read_exactly(connection, sizes[kind] if kind in sizes else read_exactly(connection, 1)[0])
    host = where.decode("ascii") if kind == 3 else ".".join(map(str, where))
    serve = find(host, get_short(read_exactly(connection, 2)))
    connection.sendall(b"\x05" + (b"\0" if serve else b"\x05") + b"\0\x01" + bytes(6))
    if serve is None:
        raise Gone
    serve(connection)
