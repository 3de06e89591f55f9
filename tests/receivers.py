# A mail server and a web server that keep what they get. Listens on 127.0.0.1 only; knows nothing of alerts.
"""`Mailbox` (aiosmtpd) and `Webhook`, each a context manager."""

import ssl
import threading
from collections.abc import Mapping
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class _AnyPort(Controller):
    """Listens on any free port; aiosmtpd itself looks for its server on the one that was asked for."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def _speak_tls(certificate: Path | None, *, starttls: bool) -> dict[str, Any]:
    if certificate is None:
        return {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return {"tls_context": context, "require_starttls": True} if starttls else {"ssl_context": context}


class Mailbox:
    """An SMTP server; `mails` are those it took, `refuses` answers that it sends instead.

    With a `certificate` it speaks TLS: from the first byte, or (`starttls`) once it is asked to, and nothing before.
    """

    def __init__(
        self, *, login: tuple[str, str] | None = None, certificate: Path | None = None, starttls: bool = False
    ) -> None:
        self.mails: list[Message] = []
        self.recipients: list[list[str]] = []
        self.refuses = ""
        self._login = login
        self._controller = _AnyPort(
            self,
            hostname="127.0.0.1",
            port=0,
            auth_required=login is not None,
            auth_require_tls=False,
            authenticator=self._check if login else None,
            **_speak_tls(certificate, starttls=starttls),
        )

    def _check(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        given = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == self._login
        return AuthResult(success=given, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Takes a mail."""
        if self.refuses:
            return self.refuses
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._controller.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._controller.stop()


class Webhook:
    """A web server; `calls` are method, path, headers (lower case) and body of each, `status` what it answers."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Mapping[str, str], bytes]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.calls.append((self.command, self.path, headers, body))
                self.send_response(receiver.status)
                if receiver.status in (301, 302):
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
