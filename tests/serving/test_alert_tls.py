# Mail over TLS, to a real SMTP server with a certificate of the tests' own.
"""`deliver` to a server that is trusted, and to one that is not."""

from pathlib import Path

import pytest

from pipekit.models.alerts import Channel
from pipekit.repo import alert_channels
from pipekit.secrets import Secrets
from pipekit.server.alerts.channels import NotSent, deliver
from tests.databases.tds.tls import make_certificate
from tests.receivers import Mailbox
from tests.states import new_state


def make_channel(folder: Path, box: Mailbox, security: str) -> Channel:
    db = new_state(folder / "pipekit.db")
    settings = {
        "server": "localhost",
        "port": str(box.port),
        "security": security,
        "user": "etl",
        "password": "$MAIL_PASSWORD",
    }
    settings |= {"sender": "pipekit@example.com", "recipients": "ana@example.com"}
    channel = alert_channels.create_channel(db, name="team", kind="mail", settings=settings)
    db.close()
    return channel


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_goes_over_tls_to_a_server_whose_certificate_is_trusted_and_to_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    secrets = Secrets(tmp_path / "secrets.env", {"MAIL_PASSWORD": "pa ss"})
    certificate = make_certificate(tmp_path, "localhost")
    with Mailbox(login=("etl", "pa ss"), certificate=certificate, starttls=security == "starttls") as box:
        channel = make_channel(tmp_path, box, security)
        with pytest.raises(NotSent, match="certificate verify failed"):
            deliver(channel, secrets, subject="one", text="to a stranger", data={})
        assert box.mails == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        deliver(channel, secrets, subject="two", text="to one who is known", data={})
    assert [mail["subject"] for mail in box.mails] == ["two"]
