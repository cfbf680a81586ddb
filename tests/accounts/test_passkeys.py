"""Passkeys: made, used, ended; and everything a wrong device, a wrong person or an old answer may not do."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger.audit.models import Record
from marketplace.accounts import passkeys, second
from marketplace.accounts.codes import WrongCode
from marketplace.accounts.models import Passkey, RecoveryCode
from marketplace.accounts.passkeys import CannotUsePasskey
from tests import story
from tests.accounts.device import Device
from tests.accounts.test_second import HERE, PASSWORD, set_up, shown, with_password
from tests.threads import at_once

HOST = "localhost"


@pytest.fixture
def clerk(db, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    return with_password("clerk", "bureau_clerk")


def registered(user, name: str = "office", device: Device | None = None, **wrong) -> tuple[Device, list[str]]:
    device, now = device or Device(), timezone.now()
    asked, question = passkeys.ask_new(user=user, host=HOST, at=now)
    answer = device.make(asked, **wrong)
    return device, passkeys.add(user=user, name=name, answer=answer, question=question, address=HERE, at=now)


def used(user, device: Device, *, later: timedelta = timedelta(0), **wrong) -> Passkey:
    now = timezone.now()
    asked, question = passkeys.ask_use(user=user, host=HOST, at=now)
    answer = device.sign(asked, **wrong)
    return passkeys.use(user=user, answer=answer, question=question, address=HERE, at=now + later)


def refused(code: str, call, *arguments, **rest) -> None:
    with pytest.raises(CannotUsePasskey) as refusal:
        call(*arguments, **rest)
    assert refusal.value.code == code and str(refusal.value)


def browser() -> tuple[Client, str]:
    client = Client(headers={"accept-language": "en", "host": "localhost:8000"})
    page = client.post(reverse("sign_in") + "?next=/statements/", {"username": "clerk", "password": PASSWORD})
    return client, page.url


def actions() -> list[str]:
    return list(
        Record.objects.filter(action__contains="passkey").order_by("id").values_list("action", flat=True)
    )


def test_the_first_sign_in_makes_one_and_the_next_is_answered_by_it(clerk):
    client, url = browser()
    device = Device()
    page = client.get(url)
    assert "hidden" in page.content.decode() and page.context["secret"]  # without scripts: the app, as ever
    answer = json.dumps(device.make(page.context["asked"]))
    nameless = client.post(url, {"passkey": answer, "name": " "})
    assert "Give the passkey a name." in nameless.content.decode()
    late = client.post(url, {"passkey": answer, "name": "office"})  # the question went with the first answer
    assert "sent twice" in late.content.decode() or "did not answer" in late.content.decode()
    answer = json.dumps(device.make(late.context["asked"]))
    page = client.post(url, {"passkey": answer, "name": "office"})
    paper = page.context["paper"]
    assert len(paper) == 8 and client.get("/statements/").status_code == 200
    app = reverse(
        "sign_in_set_up"
    )  # who is in may add the app: then two ways lead in, and the paper stays good
    code = shown(client.get(app).context["secret"], timezone.now())
    assert client.post(app, {"code": code}).url == reverse("second_ways")
    assert second.has_app(clerk) and client.get(app).url == reverse("sign_in")

    client, url = browser()
    assert url == reverse("sign_in_second")
    assert client.get(reverse("sign_in_set_up")).url == reverse(
        "sign_in"
    )  # a password alone sets up nothing more
    page = client.get(url)
    answer = json.dumps(device.sign(page.context["asked"]))
    assert client.post(url, {"passkey": answer}).url == "/statements/"
    assert client.get("/statements/").status_code == 200
    assert client.post(url, {"passkey": answer}).url == reverse("sign_in")
    client, url = browser()
    client.get(url)
    again = client.post(url, {"passkey": answer})  # another session asked something else
    assert again.status_code == 200 and client.get("/statements/").status_code == 302
    assert client.post(url, {"code": paper[0]}).url == "/statements/"
    assert actions() == ["passkey_added", "passkey_used"]


def test_the_page_of_ones_ways_asks_again_and_shows_adds_and_removes(clerk, settings):
    secret, _paper = set_up(clerk)
    client, url = browser()
    now = timezone.now()
    client.post(url, {"code": shown(secret, now)})
    ways = reverse("second_ways")
    page = client.get(ways)
    device = Device()
    answer = json.dumps(device.make(page.context["asked"]))
    page = client.post(ways, {"passkey": answer, "name": "my phone"}, follow=True)
    assert "my phone" in page.content.decode() and "paper" not in page.context  # codes are there already
    for junk in ("", "{}", "[1]", '"x"', "null", json.dumps({"id": 1}), "x" * 30_000):
        client.get(ways)
        assert client.post(ways, {"passkey": junk, "name": "junk"}).status_code == 200
        second.forgive(subject=second.subject(clerk))
    page = client.get(ways)
    twice = client.post(
        ways, {"passkey": json.dumps(Device().make(page.context["asked"])), "name": "my phone"}
    )
    assert "of this name already" in twice.content.decode()
    codes = client.post(ways, {"paper": "new"}).context["paper"]
    assert len(codes) == 8 == RecoveryCode.objects.count()

    another = story.user("other", "bureau_clerk")
    theirs = Passkey.objects.create(
        user=another, name="x", host=HOST, credential_id=b"1", credential=b"1", added_at=now
    )
    for number in (theirs.pk, 0, "x"):
        assert client.post(ways, {"remove": number}).status_code == 404
    mine = Passkey.objects.get(user=clerk)
    assert "is removed" in client.post(ways, {"remove": mine.pk}, follow=True).content.decode()
    assert list(Passkey.objects.all()) == [theirs]

    kept = client.session
    kept["second_factor_at"] = (timezone.now() - timedelta(minutes=16)).isoformat()
    kept.save()
    for answer in (client.get(ways), client.post(ways, {"paper": "new"})):
        assert answer.url == reverse("sign_in_second")  # an open desk is not enough
    assert RecoveryCode.objects.count() == 8 and client.get("/statements/").status_code == 200
    assert client.post(reverse("sign_in_second"), {"code": codes[0].replace(" ", "")}).url == ways
    assert client.get(ways).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://localhost.evil.example:8000"},
        {"origin": "https://localhost:8000"},
        {"origin": "http://a.localhost:8000"},
        {"host": "evil.example"},
        {"verified": False},
        {"challenge": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"kind": "webauthn.get"},
    ],
)
def test_a_device_that_answers_wrongly_is_not_registered_and_does_not_sign_in(clerk, wrong):
    refused("no_answer", registered, clerk, **wrong)
    assert not Passkey.objects.exists()
    device, _paper = registered(clerk)
    wrong |= {"kind": "webauthn.create"} if "kind" in wrong else {}
    refused("no_answer", used, clerk, device, **wrong)
    assert used(clerk, device).used_at  # control


def test_only_this_persons_key_only_for_this_question(clerk):
    device, _paper = registered(clerk)
    boss = with_password("boss", "bureau_approver")
    theirs, _paper = registered(boss)
    refused("no_answer", used, clerk, theirs)  # a right signature of the wrong person
    refused(
        "no_answer", used, clerk, Device(credential_id=device.credential_id)
    )  # the right name, another key
    refused("no_answer", used, clerk, device, signature=b"\x30\x06\x02\x01\x01\x02\x01\x01")
    second.forgive(subject=second.subject(clerk))
    now = timezone.now()
    asked, question = passkeys.ask_use(user=clerk, host=HOST, at=now)
    answer = device.sign(asked)
    call = {"answer": answer, "address": HERE}
    refused("stale", passkeys.use, user=boss, question=question, at=now, **call)
    refused("stale", passkeys.use, user=clerk, question=None, at=now, **call)
    refused("stale", passkeys.use, user=clerk, question=question, at=now + timedelta(minutes=6), **call)
    _new, other = passkeys.ask_new(user=clerk, host=HOST, at=now)
    refused("stale", passkeys.use, user=clerk, question=other, at=now, **call)
    passkeys.use(user=clerk, question=question, at=now, **call)
    refused("known", registered, boss, "copy", Device(credential_id=device.credential_id))


def test_a_count_that_stands_still_or_falls_is_a_copy(clerk):
    device, _paper = registered(clerk)
    used(clerk, device)
    device.count = 0
    refused("copied", used, clerk, device)
    assert actions() == ["passkey_added", "passkey_used", "passkey_refused"]
    used(clerk, device)  # the count goes on: control
    still, _paper = registered(clerk, "phone", Device(counts=0))
    for _ in range(2):
        assert used(clerk, still).uses == 0  # those that keep no count are taken


def test_five_wrong_answers_and_not_even_the_right_one_nor_a_code(clerk):
    device, paper = registered(clerk)
    for _ in range(5):
        refused("no_answer", used, clerk, device, verified=False)
    with pytest.raises(WrongCode):
        used(clerk, device)
    with pytest.raises(WrongCode):
        second.verify(user=clerk, code=paper[0], address=HERE, at=timezone.now())
    asked, question = passkeys.ask_use(user=clerk, host=HOST, at=timezone.now() + timedelta(minutes=16))
    answer, at = device.sign(asked), timezone.now() + timedelta(minutes=16)
    assert passkeys.use(user=clerk, answer=answer, question=question, address=HERE, at=at)


def test_ten_at_most_and_the_last_way_stays(clerk, settings):
    _device, paper = registered(clerk)
    refused("last_one", passkeys.remove, user=clerk, passkey=Passkey.objects.get(), at=timezone.now())
    assert Passkey.objects.exists() and RecoveryCode.objects.count() == len(paper) == 8
    for number in range(9):
        assert registered(clerk, f"device {number}")[1] == []  # codes on paper: with the first way only
    refused("too_many", registered, clerk, "eleventh")
    settings.SECOND_FACTOR_REQUIRED = False
    for passkey in Passkey.objects.all():
        passkeys.remove(user=clerk, passkey=passkey, at=timezone.now())
    assert not RecoveryCode.objects.exists() and not second.is_asked(clerk)


def test_two_windows_make_the_tenth_and_eleventh_at_once(fresh_db):
    user = with_password("clerk", "bureau_clerk")
    for number in range(9):
        registered(user, f"device {number}")
    now = timezone.now()
    asked = [passkeys.ask_new(user=user, host=HOST, at=now) for _ in range(3)]

    def add(number: int) -> None:
        options, question = asked[number]
        answer = Device().make(options)
        passkeys.add(user=user, name=f"last {number}", answer=answer, question=question, address=HERE, at=now)

    answers = at_once([lambda n=n: add(n) for n in range(3)])
    assert answers.count(None) == 1 and Passkey.objects.count() == 10


def test_where_passkeys_do_not_work_nothing_is_offered(clerk, settings):
    refused("not_here", passkeys.ask_new, user=clerk, host="127.0.0.1", at=timezone.now())
    registered(clerk)
    client, _url = browser()
    client.defaults["HTTP_HOST"] = "127.0.0.1:8000"
    page = client.get(reverse("sign_in_second"))
    assert page.context["asked"] is None and "data-passkey" not in page.content.decode()
    settings.PASSKEY_HOSTS = settings.HTTPS_HOSTS = ["desk.example.cn"]
    assert passkeys.of(clerk, HOST) == []
    device, now = Device(), timezone.now()
    asked, question = passkeys.ask_new(user=clerk, host="desk.example.cn", at=now)
    call = {"user": clerk, "name": "desk", "question": question, "address": HERE, "at": now}
    for origin in ("http://desk.example.cn", "https://desk.example.cn:8443", "https://x.desk.example.cn"):
        second.forgive(subject=second.subject(clerk))
        refused("no_answer", passkeys.add, answer=device.make(asked, origin=origin), **call)
    passkeys.add(answer=device.make(asked, origin="https://desk.example.cn"), **call)


def test_everything_lost_and_the_administrator_lets_start_anew(clerk, capsys):
    story.user("boss", "administrator")
    _device, _paper = registered(clerk)
    call_command("reset_second_factor", "clerk", "--by", "boss")
    assert not Passkey.objects.exists() and not RecoveryCode.objects.exists()
    assert browser()[1] == reverse("sign_in_set_up")


def test_the_database_keeps_one_key_once_under_a_name(clerk):
    registered(clerk)
    row = Passkey.objects.values().get()
    del row["id"]
    for change in ({"credential_id": b"2", "name": ""}, {"credential_id": b"2"}, {"name": "other"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Passkey.objects.create(**{**row, **change})
