# What is told of runs, to a real mail server and a real web server. Runs are records; none is run.
"""Alerts."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from pipekit import repo
from pipekit.config import Config
from pipekit.errors import Invalid
from pipekit.models import Module
from pipekit.models.alerts import Channel, Rule
from pipekit.repo import alert_channels, alerts
from pipekit.secrets import Secrets
from pipekit.server.alerts.quiet import find_end
from pipekit.server.alerts.sending import Sending, send_test
from pipekit.server.alerts.watching import Watching
from tests.receivers import Mailbox, Webhook
from tests.states import new_state

OWNER = "tests:1"
REFUSED = 'connection to server at "10.0.0.9", port 5432 failed: Connection refused (row "secret value 77")'


class Night:
    """An installation with a clock that is set forward; `look` does what a server does every second."""

    def __init__(self, folder: Path) -> None:
        self.db = new_state(folder / "pipekit.db")
        self.config = Config(
            home=folder,
            base_dir=folder,
            state_path=folder / "pipekit.db",
            secrets_path=folder / "secrets.env",
            public_url="https://pipekit.example.com/",
        )
        self.secrets = Secrets(self.config.secrets_path, {})
        self.ahead = timedelta(0)
        self.shop = repo.create_connection(self.db, name="shop", driver="sqlite", jdbc_url="jdbc:sqlite:shop.db")
        self.restart()

    def restart(self) -> None:
        """Another server process: nothing but the state database is left of the one before."""
        self._watching = Watching(self.clock)
        self._sending = Sending(self.config, self.secrets, self.clock)

    def clock(self) -> datetime:
        return repo.wall_clock() + self.ahead

    def look(self, after_s: float = 0) -> None:
        self.ahead += timedelta(seconds=after_s)
        self._watching.look(self.db)
        self._sending.look(self.db)

    def add_module(self, name: str, **fields: Any) -> Module:
        both = {"source_id": self.shop.id, "dest_id": self.shop.id}
        return repo.create_module(self.db, name=name, **both, source_query="select 1 as a", dest_table=name, **fields)

    def run(self, module: Module, status: Any = "error", error: str = REFUSED, **fields: Any) -> None:
        run = repo.claim_module(
            self.db, module.id, owner=OWNER, lease_s=60, triggered_by="cli", dry_run=False, staging_table="s"
        )
        if status == "error":
            fields = {"error": error, "error_stage": "stage", **fields}
        repo.finish_run(self.db, run.id, owner=OWNER, status=status, **fields)

    def add_mail(self, box: Mailbox, **settings: str) -> Channel:
        given = {"server": "127.0.0.1", "port": str(box.port), "security": "none"}
        given |= {"sender": "pipekit@example.com", "recipients": "ana@example.com, otto@example.com", **settings}
        return alert_channels.create_channel(self.db, name="team", kind="mail", settings=given)

    def add_rule(self, channel: Channel, *events: str, **options: Any) -> Rule:
        return alert_channels.create_rule(self.db, channel_id=channel.id, events=events, **options)


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    made = Night(tmp_path)
    yield made
    made.db.close()


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with Mailbox() as made:
        yield made


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with Webhook() as made:
        yield made


def read(mail: Message) -> str:
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode().replace("\r\n", "\n")


def test_a_failure_is_told_once_with_cause_mend_and_link_and_no_data_and_so_is_its_end(
    night: Night, box: Mailbox
) -> None:
    night.add_rule(night.add_mail(box), "failed", "recovered")
    orders = night.add_module("orders")
    night.run(orders, "success")
    night.run(orders)
    night.look()
    assert box.mails == [], "more may come"
    night.look(21)
    night.run(orders)
    night.look(3600 * 24)
    assert [mail["subject"] for mail in box.mails] == ["Pipekit: orders failed"]
    assert box.recipients == [["ana@example.com", "otto@example.com"]]
    assert box.mails[0]["auto-submitted"] == "auto-generated"
    text = read(box.mails[0])
    assert "last good at" in text
    assert "Nobody answers there" in text
    assert "https://pipekit.example.com/runs/2\n" in text
    assert "secret value" not in text
    assert "10.0.0.9" not in text
    night.run(orders, "success")
    night.look()
    night.look(21)
    assert box.mails[1]["subject"] == "Pipekit: orders works again"
    assert "it had failed 2 times" in read(box.mails[1])
    night.run(orders, "success")
    night.look(600)
    assert len(box.mails) == 2


def test_forty_modules_of_a_dead_source_make_one_message_and_what_fails_later_waits(night: Night, box: Mailbox) -> None:
    night.add_rule(night.add_mail(box), "failed", "recovered")
    modules = [night.add_module(f"m{number:02d}") for number in range(40)]
    for module in modules:
        night.run(module, error=f"{module.name}: {REFUSED}")
        night.look(7)
    night.look(60)
    assert [mail["subject"] for mail in box.mails] == ["Pipekit: 40 modules failed"]
    assert "m00, m01" in read(box.mails[0])
    assert "and 20 more" in read(box.mails[0])
    assert read(box.mails[0]).count("Nobody answers there") == 1
    late = night.add_module("late")
    night.run(late, error=f"late: {REFUSED}")
    other = night.add_module("other")
    night.run(other, error='column "x" does not exist')
    night.look()
    night.look(60)
    assert [mail["subject"] for mail in box.mails[1:]] == ["Pipekit: other failed"]
    night.look(3600)
    assert [mail["subject"] for mail in box.mails[2:]] == ["Pipekit: late failed"]


def test_a_failure_of_a_group_is_told_when_the_group_has_ended_or_after_a_quarter_of_an_hour(
    night: Night, box: Mailbox
) -> None:
    night.add_rule(night.add_mail(box), "failed")
    first, second = night.add_module("first"), night.add_module("second")
    group = repo.create_group(night.db, name="nightly")
    for module in (first, second):
        repo.create_member(night.db, group_id=group.id, module_id=module.id)
    repo.create_group_run(night.db, group.id, triggered_by="schedule")
    queued = next(item for item in repo.list_live_runs(night.db) if item.module_id == first.id)
    night.db.change(
        "UPDATE run_log SET status = 'running', owner = ?, lease_expires_at = '9', started_at = '1' WHERE id = ?",
        (OWNER, queued.id),
    )
    repo.finish_run(night.db, queued.id, owner=OWNER, status="error", error=REFUSED, error_stage="stage")
    night.look()
    night.look(800)
    assert box.mails == []
    night.look(101)
    assert "first failed in the group nightly" in read(box.mails[0])


def test_a_failure_that_is_over_before_it_is_told_is_not_told(night: Night, box: Mailbox) -> None:
    night.add_rule(night.add_mail(box), "failed", "recovered", quiet_from="00:00", quiet_until="23:59")
    orders = night.add_module("orders")
    night.run(orders)
    night.look()
    night.run(orders, "success")
    night.look()
    night.look(3600 * 48)
    assert box.mails == []


def test_a_comparison_and_an_undo_tell_their_own_failure_and_make_no_load_good(night: Night, box: Mailbox) -> None:
    night.add_rule(night.add_mail(box), "failed", "recovered")
    orders = night.add_module("orders")
    night.run(orders)
    night.look()
    night.look(60)
    for table, values in (
        ("run_verify", {"asked_json": "{}", "result_json": None}),
        ("undo_asked", {"undoes": 1}),
    ):
        for status in ("success", "error"):
            run = repo.claim_module(
                night.db, orders.id, owner=OWNER, lease_s=60, triggered_by="cli", dry_run=False, staging_table="s"
            )
            night.db.insert(table, {"run_id": run.id, **values})
            error = {"error": f"{table} failed", "error_stage": "plan"} if status == "error" else {}
            repo.finish_run(night.db, run.id, owner=OWNER, status=status, **error)
    night.look()
    night.look(60)
    assert [mail["subject"] for mail in box.mails] == ["Pipekit: orders failed", "Pipekit: 2 modules failed"]
    assert "verify of orders failed" in read(box.mails[1])
    assert "undo of orders failed" in read(box.mails[1])


def test_rules_choose_by_group_module_and_number_of_failures(night: Night, box: Mailbox) -> None:
    channel = night.add_mail(box)
    orders, people, rest = (night.add_module(name) for name in ("orders", "people", "rest"))
    group = repo.create_group(night.db, name="nightly")
    repo.create_member(night.db, group_id=group.id, module_id=people.id)
    night.add_rule(channel, "failed", module_id=orders.id, after_failures=3)
    night.add_rule(channel, "guard", group_id=group.id)
    for module in (orders, people, rest):
        night.run(module)
    night.look()
    night.look(60)
    assert box.mails == []
    night.run(orders)
    night.run(orders)
    night.run(people, error="The load would leave 1 row.", error_stage="check")
    night.look()
    night.look(60)
    assert [mail["subject"] for mail in box.mails] == ["Pipekit: 1 module failed, 1 module was refused by a check"]
    assert "3 times in a row" in read(box.mails[0])


def test_a_server_that_is_away_is_tried_again_even_after_a_restart_and_the_channel_says_so(
    night: Night, box: Mailbox
) -> None:
    channel = night.add_mail(box)
    night.add_rule(channel, "failed")
    box.refuses = "451 not now"
    night.run(night.add_module("orders"))
    night.look()
    night.look(30)
    failing = alert_channels.get_channel(night.db, channel.id)
    assert failing.failing_since
    assert failing.error == "The server answers 451: not now"
    assert failing.attempts == 1
    box.refuses = ""
    night.restart()
    night.look(5)
    assert box.mails == [], "it is not asked all the time"
    night.look(40)
    assert len(box.mails) == 1
    works = alert_channels.get_channel(night.db, channel.id)
    assert works.worked_at
    assert works.failing_since is None
    assert works.error is None


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_login_is_sent_and_its_password_is_in_no_error(night: Night) -> None:
    night.secrets.set("MAIL", "s3cret-word")
    with Mailbox(login=("etl", "s3cret-word")) as box:
        settings = {"user": "etl", "password": "$MAIL"}
        with pytest.raises(Exception, match="anybody can read"):
            night.add_mail(box, **settings)
        channel = night.add_mail(box)
        night.db.update("alert_channel", channel.id, {"settings_json": json.dumps({**channel.settings, **settings})})
        channel = alert_channels.get_channel(night.db, channel.id)
        assert send_test(night.db, channel, night.secrets, "http://x") == ""
        assert box.mails[0]["subject"] == "Pipekit: a test of team"
        night.secrets.set("MAIL", "another-word")
        problem = send_test(night.db, channel, night.secrets, "http://x")
    assert problem.startswith("The server answers 535")
    assert "another-word" not in problem


def test_a_web_address_gets_json_that_is_signed_as_standard_webhooks_are(night: Night, hook: Webhook) -> None:
    key = "whsec_" + base64.b64encode(b"k" * 24).decode()
    night.secrets.set("HOOK_KEY", key)
    settings = {"url": hook.url, "signing_key": "$HOOK_KEY"}
    channel = alert_channels.create_channel(night.db, name="hook", kind="webhook", settings=settings)
    night.add_rule(channel, "ended", "failed")
    orders = night.add_module("orders")
    night.run(orders, "success", rows_read=12)
    night.run(orders)
    night.look()
    assert [json.loads(body)["event"] for _, _, _, body in hook.calls] == ["ended", "ended"]
    night.look(60)
    method, path, headers, body = hook.calls[2]
    assert (method, path) == ("POST", "/hook")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(b"k" * 24, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{digest}"
    sent = json.loads(body)
    assert sent["event"] == "failed"
    assert sent["alerts"][0]["module"] == "orders"
    assert sent["alerts"][0]["link"] == "https://pipekit.example.com/runs/2"
    assert "secret value" not in body.decode()
    assert key not in body.decode()


def test_a_web_address_that_leads_elsewhere_is_an_error(night: Night, hook: Webhook) -> None:
    channel = alert_channels.create_channel(night.db, name="hook", kind="webhook", settings={"url": hook.url})
    hook.status = 302
    assert send_test(night.db, channel, night.secrets, "http://x") == "The address answers 302 Found."
    assert len(hook.calls) == 1


# What apprise imports of Python 3.11 is gone in 3.13, where it does without.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_apprise_brings_what_it_knows(night: Night, hook: Webhook) -> None:
    night.secrets.set("CHAT", hook.url.replace("http://", "json://"))
    channel = alert_channels.create_channel(night.db, name="chat", kind="apprise", settings={"url": "$CHAT"})
    assert send_test(night.db, channel, night.secrets, "http://x") == ""
    assert json.loads(hook.calls[0][3])["title"] == "Pipekit: a test of chat"
    hook.status = 500
    assert send_test(night.db, channel, night.secrets, "http://x").startswith("Apprise could not send it.")


def test_a_group_that_runs_well_is_told_to_its_heartbeat(night: Night, hook: Webhook) -> None:
    night.secrets.set("BEAT", f"{hook.url}?id=1")
    group = repo.create_group(night.db, name="nightly", heartbeat="$BEAT")
    hook.status = 503
    made = repo.create_group_run(night.db, group.id, triggered_by="manual")
    night.db.change("UPDATE group_run SET status = 'success', finished_at = ? WHERE id = ?", (repo.now(), made.id))
    night.look()
    night.look(5)
    assert len(hook.calls) == 1
    hook.status = 200
    night.look(30)
    night.look(60)
    assert [(method, path) for method, path, _, _ in hook.calls] == [("GET", "/hook?id=1")] * 2


def test_rows_that_are_older_than_promised_are_told_once_and_when_new_ones_come(night: Night, box: Mailbox) -> None:
    night.add_rule(night.add_mail(box), "late", "recovered")
    orders = night.add_module("orders", fresh_within_s=3600)
    night.add_module("never_ran", fresh_within_s=60)
    night.run(orders, "success")
    night.look(3500)
    night.restart()
    night.look(200)
    night.restart()
    night.look(30)
    night.restart()
    night.look(3600)
    assert [mail["subject"] for mail in box.mails] == ["Pipekit: orders is late"]
    assert "older than promised" in read(box.mails[0])
    night.ahead = timedelta(0)
    night.run(orders, "success")
    night.restart()
    night.look()
    night.look(60)
    assert box.mails[1]["subject"] == "Pipekit: orders works again"


QUIET = [
    ("22:00", "06:00", "2026-03-01T21:59:00", "2026-03-01T21:59:00"),
    ("22:00", "06:00", "2026-03-01T22:00:00", "2026-03-02T06:00:00"),
    ("22:00", "06:00", "2026-03-02T05:59:00", "2026-03-02T06:00:00"),
    ("22:00", "06:00", "2026-03-02T06:00:00", "2026-03-02T06:00:00"),
    ("09:00", "17:00", "2026-03-02T12:00:00", "2026-03-02T17:00:00"),
    ("09:00", "17:00", "2026-03-02T18:00:00", "2026-03-02T18:00:00"),
]


@pytest.mark.parametrize(("begin", "end", "moment", "due"), QUIET)
def test_quiet_hours_may_lie_over_midnight(begin: str, end: str, moment: str, due: str) -> None:
    rule = Rule(id=1, channel_id=1, events=("failed",), quiet_from=begin, quiet_until=end)
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert find_end(rule, at, UTC).replace(tzinfo=None).isoformat() == due


WRONG: list[tuple[str, dict[str, str], str]] = [
    ("mail", {"server": "h", "sender": "a@b"}, "recipients"),
    ("mail", {"server": "h", "sender": "a@b", "recipients": "no address"}, "recipients"),
    ("mail", {"server": "h", "sender": "a@b", "recipients": "a@b", "port": "0"}, "port"),
    ("mail", {"server": "h", "sender": "a@b", "recipients": "a@b", "security": "some"}, "security"),
    ("mail", {"server": "h", "sender": "a@b", "recipients": "a@b", "user": "u", "password": "word"}, "password"),
    ("webhook", {"url": "ftp://x"}, "url"),
    ("webhook", {"url": "https://u:p@x/"}, "url"),
    ("apprise", {"url": "slack://token"}, "url"),
    ("webhook", {"url": "https://x/", "colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("kind", "settings", "field"), WRONG)
def test_a_channel_that_cannot_work_is_refused_at_its_field(kind: str, settings: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        alert_channels.check_settings(kind, settings)
    assert caught.value.field == field


def test_nothing_is_kept_of_runs_while_nobody_wants_to_know(night: Night) -> None:
    night.run(night.add_module("orders"))
    assert alerts.list_ended(night.db, 10) == []
