# Browsers as far as a server can tell: connections that stay open and ask one thing after the other. Knows no page.
"""`Visitor`, and `crowd`: many of them at once, each answer timed."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

WAIT_S = 60.0


class Unanswered(Exception):
    """An answer that is not what was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: how long it took, its status, and how many bytes its body had on the wire."""

    seconds: float
    status: int
    size: int
    body: bytes


class Visitor:
    """One connection with a session's cookie."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port = port
        self._head = (
            f"Host: 127.0.0.1:{port}\r\nCookie: pipekit_session={cookie}\r\nAccept: text/html\r\n"
            "Accept-Encoding: gzip, deflate, br\r\n"
        )
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._writer is not None
        self._writer.close()

    async def ask(self, path: str, more: str = "") -> Answer:
        """One GET; `more` are further header lines. Raises Unanswered for a status of 300 and more."""
        assert self._reader is not None
        assert self._writer is not None
        began = time.perf_counter()
        self._writer.write(f"GET {path} HTTP/1.1\r\n{self._head}{more}\r\n".encode())
        head = (await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), WAIT_S)).lower()
        status = int(head[9:12])
        _, found, rest = head.partition(b"content-length:")
        body = await self._reader.readexactly(int(rest.partition(b"\r\n")[0])) if found else b""
        if status >= 300 or (status == 200 and not found):
            raise Unanswered(f"{path}: {head.decode(errors='replace')}")
        return Answer(time.perf_counter() - began, status, len(body), body)


async def crowd(port: int, cookies: Sequence[str], path: str, *, at_once: int, seconds: float) -> list[Answer]:
    """Asks for one page from `at_once` connections, each again as soon as it is answered, for some seconds."""
    until = time.perf_counter() + seconds

    async def visit(cookie: str) -> list[Answer]:
        answers: list[Answer] = []
        async with Visitor(port, cookie) as visitor:
            while not answers or time.perf_counter() < until:
                answers.append(await visitor.ask(path))
        return answers

    found = await asyncio.gather(*(visit(cookies[number % len(cookies)]) for number in range(at_once)))
    return [answer for answers in found for answer in answers]
