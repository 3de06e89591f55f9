# How a message gets out: by mail, to a web address, by apprise. Knows a channel's settings and secrets, no alert.
"""`deliver` and `call`; what cannot be sent raises NotSent with a reason that holds no secret."""

import base64
import hashlib
import hmac
import json
import smtplib
import ssl
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any

from pipekit import __version__
from pipekit.errors import PipekitError
from pipekit.models.alerts import Channel
from pipekit.repo.addresses import check_web_address
from pipekit.repo.alert_channels import split_addresses
from pipekit.secrets import Secrets

TIMEOUT_S = 20.0
LONGEST_REASON = 300


class NotSent(PipekitError):
    """A message could not be sent."""


def deliver(channel: Channel, secrets: Secrets, *, subject: str, text: str, data: Mapping[str, Any]) -> None:
    """Sends one message: `text` to people, `data` to programs. Raises NotSent."""
    try:
        {"mail": _mail, "webhook": _post, "apprise": _notify}[channel.kind](channel, secrets, subject, text, data)
    except (OSError, smtplib.SMTPException, ValueError, PipekitError) as error:
        raise NotSent(secrets.masker().mask(_describe(error))) from error


def call(address: str, secrets: Secrets) -> None:
    """Asks for a web address, `$NAME` or as it is, as a sign of life. Raises NotSent."""
    try:
        _open(urllib.request.Request(_resolve_address(address, secrets), headers=_agent()))
    except (OSError, ValueError, PipekitError) as error:
        raise NotSent(secrets.masker().mask(_describe(error))) from error


def _describe(error: Exception) -> str:
    if isinstance(error, PipekitError):
        return f"{error.message} {error.hint}".strip()
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        refused = [
            f"{name}: {code} {words.decode(errors='replace')}" for name, (code, words) in error.recipients.items()
        ]
        return f"The server refuses the recipients: {'; '.join(refused)}"[:LONGEST_REASON]
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return f"The server answers {error.smtp_code}: {words}"[:LONGEST_REASON]
    return f"{type(error).__name__}: {error}"[:LONGEST_REASON]


# -- mail --------------------------------------------------------------------------------------------------------------


def _mail(channel: Channel, secrets: Secrets, subject: str, text: str, _: Mapping[str, Any]) -> None:
    settings = channel.settings
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = settings["sender"]
    message["To"] = ", ".join(split_addresses(settings["recipients"]))
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=settings["sender"].rpartition("@")[2])
    # RFC 3834: nobody's automatic answer comes back.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    with _connect(settings) as server:
        if settings.get("user"):
            server.login(settings["user"], secrets.resolve(settings.get("password")) or "")
        server.send_message(message)


def _connect(settings: Mapping[str, str]) -> smtplib.SMTP:
    host, port = settings["server"], int(settings["port"])
    if settings["security"] == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
    server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    if settings["security"] == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


# -- web addresses -----------------------------------------------------------------------------------------------------


def _post(channel: Channel, secrets: Secrets, _: str, __: str, data: Mapping[str, Any]) -> None:
    body = json.dumps(data, ensure_ascii=False).encode(errors="replace")
    headers = {**_agent(), "Content-Type": "application/json"}
    key = secrets.resolve(channel.settings.get("signing_key"))
    if key:
        headers |= sign(key, body, message_id=f"msg_{uuid.uuid4().hex}", timestamp=int(time.time()))
    address = _resolve_address(channel.settings["url"], secrets)
    _open(urllib.request.Request(address, data=body, headers=headers, method="POST"))


def sign(key: str, body: bytes, *, message_id: str, timestamp: int) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0 (symmetric, v1): HMAC-SHA-256 over id, time and body.

    A key that begins with `whsec_` is Base64 behind it, as that standard has it; another one is taken as it is.
    """
    raw = base64.b64decode(key.removeprefix("whsec_"), validate=True) if key.startswith("whsec_") else key.encode()
    signed = b".".join([message_id.encode(), str(timestamp).encode(), body])
    digest = base64.b64encode(hmac.new(raw, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{digest}"}


def _resolve_address(address: str, secrets: Secrets) -> str:
    resolved = secrets.resolve(address) if address.startswith("$") else address
    check_web_address(resolved or "", field="url")
    return resolved or ""


def _agent() -> dict[str, str]:
    return {"User-Agent": f"pipekit/{__version__}"}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What is told goes to the address that was set, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follows none."""


def _open(request: urllib.request.Request) -> None:
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT_S) as answer:
            answer.read(1)
    except urllib.error.HTTPError as error:
        with error:
            raise NotSent(f"The address answers {error.code} {error.reason}.") from error


# -- apprise -----------------------------------------------------------------------------------------------------------


def _notify(channel: Channel, secrets: Secrets, subject: str, text: str, _: Mapping[str, Any]) -> None:
    try:
        import apprise
    except ImportError as error:
        raise NotSent("The package apprise is missing.", hint="pip install 'pipekit[alerts]'") from error
    sender = apprise.Apprise()
    if not sender.add(secrets.resolve(channel.settings["url"]) or ""):
        raise NotSent("Apprise does not know an address like this one.", hint="Its documents list them.")
    if not sender.notify(body=text, title=subject):
        raise NotSent("Apprise could not send it.", hint="Its address may be wrong, or nobody answers there.")
