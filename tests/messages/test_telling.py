"""Short messages: told once, after the commit, to the number on file; nothing secret is kept, nothing leaks."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from ledger.models import Outbox
from ledger.outbox.operations import settle_debts
from marketplace.messages import channels, words
from marketplace.messages.models import Message
from marketplace.messages.operations import tell
from marketplace.tasks import HANDLERS
from tests import story
from tests.threads import at_once
from vouchers.models import Elder

AT = story.moment("2026-08-23 10:00")
ORDER = {"what": "午餐", "when": story.moment("2026-08-24 11:30"), "where": "松鹤餐厅", "amount": Decimal(8)}


@pytest.fixture(autouse=True)
def that_morning() -> Iterator[None]:
    """What is told of an order is of use for hours, not for months."""
    with time_machine.travel(AT):
        yield


@pytest.fixture
def li(db) -> Elder:
    home = story.division("98", "湖城市", "city")
    return story.elder("LI", "李桂兰", "1946-03-05", home)


@pytest.fixture
def sent(settings, tmp_path):
    """What went out, in order; the way out is a file."""
    settings.SMS_CHANNEL, settings.DATA_DIR = "file", tmp_path

    def read() -> list[dict]:
        settle_debts(handlers=HANDLERS, clock=timezone.now)
        path = tmp_path / "messages.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    return read


def test_grandma_li_hears_of_her_order_in_plain_words(li, sent):
    tell(kind="order_taken", elder=li, at=AT, **ORDER)
    (told,) = sent()
    assert told["phone"] == li.phone()
    assert told["text"] == (
        "已点单：午餐，2026年8月24日 星期一 11:30，松鹤餐厅。已留出消费券 8 元。要改或取消，请登录或拨打 12349。"
    )
    message = Message.objects.get()
    assert (message.outcome, message.channel) == ("sent", "file") and message.sent_at
    assert "Vouchers set aside: 8 yuan" in message.text(language="en")
    assert sent() == [told]  # not again


def test_what_is_undone_is_not_told(li, sent):
    with transaction.atomic():
        tell(kind="order_taken", elder=li, at=AT, **ORDER)
        transaction.set_rollback(True)
    assert sent() == []
    assert not Message.objects.exists() and not Outbox.objects.exists()


def test_once_is_once(li, sent):
    assert tell(kind="order_taken", elder=li, at=AT, once="order:1", **ORDER)
    assert tell(kind="order_taken", elder=li, at=AT, once="order:1", **ORDER) is None
    assert tell(kind="order_taken", elder=li, at=AT, once="order:2", **ORDER)
    assert len(sent()) == 2


def test_two_at_once_tell_it_once(fresh_db):
    home = story.division("98", "湖城市", "city")
    li = story.elder("LI", "李桂兰", "1946-03-05", home)
    told = at_once([lambda: tell(kind="order_taken", elder=li, at=AT, once="order:1", **ORDER)] * 8)
    assert sum(answer is not None for answer in told) == 1
    assert Message.objects.count() == Outbox.objects.count() == 1


def test_a_code_is_gone_once_it_is_out(li, sent):
    tell(kind="sign_in_code", phone="19900000777", at=timezone.now(), code="481516", minutes="10")
    owed = Outbox.objects.get()
    assert "481516" not in str(owed.payload)
    message = Message.objects.get()
    assert b"481516" not in bytes(message.secret_sealed) and message.secret() == {"code": "481516"}
    assert "481516" in sent()[0]["text"]
    message.refresh_from_db()
    assert message.secret_sealed is None and words.HIDDEN in message.text()
    with pytest.raises(IntegrityError, match="message_keeps_no_secret"), transaction.atomic():
        Message.objects.update(secret_sealed=b"481516")


def test_a_code_that_comes_too_late_does_not_come(li, sent):
    tell(
        kind="sign_in_code",
        phone="19900000777",
        at=timezone.now() - timedelta(minutes=11),
        code="481516",
        minutes="10",
    )
    assert sent() == []
    message = Message.objects.get()
    assert message.outcome == "too_late" and message.secret_sealed is None


def test_nobody_is_named_in_the_table(li, sent):
    """Names in facts are sealed, numbers too: the row in the database shows neither."""
    tell(kind="acted_for", elder=li, at=AT, who="李小红", what="点单")
    tell(kind="sign_in_code", phone="19900000777", at=AT, code="481516", minutes="10")
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(m::text, ' ') FROM marketplace_message m")
        row = cursor.fetchone()[0]
    for name in ("李小红", "点单", "19900000777", "481516"):
        assert name not in row and name.encode().hex() not in row
    assert "acted_for" in row  # control: this is the row


def test_the_number_on_file_today_is_the_one(li, sent):
    from vouchers.elders import sealing

    tell(kind="order_taken", elder=li, at=AT, **ORDER)
    li.phone_sealed = sealing.seal("19900099999", field="phone", row=li.code)
    li.save()
    assert sent()[0]["phone"] == "19900099999"


def test_without_a_phone_or_a_way_out_the_log_says_so(li, sent, settings):
    settings.SMS_CHANNEL = "off"
    tell(kind="order_taken", elder=li, at=AT, **ORDER)
    assert sent() == [] and Message.objects.get().outcome == "no_channel"
    li.phone_sealed = None
    assert tell(kind="order_taken", elder=li, at=AT, **ORDER).outcome == "no_phone"
    assert Outbox.objects.filter(done_at=None).count() == 0


def test_every_sentence_can_be_said_in_both_languages(settings):
    samples = {"amount": Decimal("8.50"), "when": AT, "until": date(2026, 8, 31)}
    for kind in words.SENTENCES:
        facts = {name: words.stored(samples.get(name, name)) for name in words.wanted(kind)}
        said = {
            language: words.text(
                kind, facts, language=language, secret=dict.fromkeys(words.SECRET.get(kind, ()), "1")
            )
            for language in ("zh-hans", "en")
        }
        assert said["zh-hans"] != said["en"] and "%(" not in str(said), kind
        assert len(said["zh-hans"]) <= 140, kind  # two parts of a short message


def test_facts_must_fit_the_sentence(li):
    for wrong in (
        {"kind": "acted_for", "who": "X"},
        {"kind": "acted_for", "who": "X", "what": "Y", "z": "Z"},
    ):
        with pytest.raises(TypeError):
            tell(elder=li, at=AT, **wrong)
    with pytest.raises(TypeError):
        tell(kind="acted_for", at=AT, who="X", what="Y")
    with pytest.raises(TypeError):
        tell(kind="acted_for", elder=li, phone="19900000001", at=AT, who="X", what="Y")


# The gateway


def test_the_signature_is_the_one_of_the_published_algorithm():
    """Computed by hand from the rule: sorted, percent-encoded, POST&%2F&..., HMAC-SHA1 with the key and '&'."""
    body = channels.signed(
        {"PhoneNumbers": "19900000001", "SignName": "颐券 a*~"},
        key_id="id",
        key_secret="secret",
        nonce="n1",
        at=datetime(2026, 8, 23, 4, 0, tzinfo=UTC),
    )
    assert "SignName=%E9%A2%90%E5%88%B8%20a%2A~" in body and "Timestamp=2026-08-23T04%3A00%3A00Z" in body
    names = [part.split("=")[0] for part in body.split("&")]
    assert names[:-1] == sorted(names[:-1]) and names[-1] == "Signature"


class _Gateway(BaseHTTPRequestHandler):
    answers: list[tuple[int, bytes]] = []
    asked: list[dict] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.asked.append({name: values[0] for name, values in parse_qs(body).items()})
        status, answer = self.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_) -> None:
        pass


def test_the_gateway_is_asked_again_until_it_takes_the_message(li, settings):
    _Gateway.asked, _Gateway.answers = (
        [],
        [
            (500, b""),
            (200, b'{"Code": "isv.BUSINESS_LIMIT_CONTROL"}'),
            (200, b'{"Code": "OK", "BizId": "9006"}'),
        ],
    )
    server = HTTPServer(("127.0.0.1", 0), _Gateway)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        settings.SMS_CHANNEL = "aliyun"
        settings.SMS_ALIYUN = {
            "key_id": "id", "key_secret": "secret", "sign_name": "颐券",
            "templates": {"order_taken": "SMS_1"}, "endpoint": f"http://127.0.0.1:{server.server_port}/",
        }  # fmt: skip
        tell(kind="order_taken", elder=li, at=AT, **ORDER)
        told = []
        for hours in range(3):
            settle_debts(handlers=HANDLERS, clock=lambda: timezone.now() + timedelta(hours=hours))  # noqa: B023
            told.append((Message.objects.get().outcome, Outbox.objects.get().last_error))
        assert [outcome for outcome, _ in told] == ["waiting", "waiting", "sent"]
        assert "500" in told[0][1] and "BUSINESS_LIMIT" in told[1][1]
        assert Message.objects.get().reference == "9006"
        asked = _Gateway.asked[-1]
        assert (asked["TemplateCode"], asked["PhoneNumbers"]) == ("SMS_1", li.phone())
        assert json.loads(asked["TemplateParam"])["when"] == "2026年8月24日 星期一 11:30"
        assert all(li.phone() not in error for _, error in told)
    finally:
        server.shutdown()
        server.server_close()


def test_the_console_shows_no_number(li, settings, capsys):
    settings.SMS_CHANNEL = "console"
    tell(kind="order_taken", elder=li, at=AT, **ORDER)
    settle_debts(handlers=HANDLERS, clock=timezone.now)
    out = capsys.readouterr().out
    assert "已点单" in out and li.phone() not in out
