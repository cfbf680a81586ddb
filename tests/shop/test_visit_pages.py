"""The pages of visits: each person's own, with plain forms; few questions asked of the database."""

import json
import subprocess
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ledger.models import Record
from marketplace.accounts.models import User
from marketplace.fulfilment import dispatch
from marketplace.fulfilment.models import WorkOrder
from providers.models import Caregiver
from tests import story
from tests.shop.ground import BATH, BY, NOW
from tests.shop.visits import BATH_LATER, MEAL, PIN, Homes, code_of, tell
from tests.vouchers.test_photos import photo
from vouchers.codes.operations import codes_of
from vouchers.models import Photo, Redemption, Visit, VisitReport

MINUTE = timedelta(minutes=1)


@pytest.fixture
def ground(db) -> Homes:
    return Homes()


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post(user: User, work: WorkOrder, kind: str, *, accept: str = "text/html", **data):
    data = {"kind": kind, "key": str(uuid4()), **data}
    return as_(user).post(
        reverse("visits:report", args=[work.pk]),
        data,
        headers={"Accept": accept},
        follow=accept == "text/html",
    )


def said(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def test_a_visit_by_plain_forms(ground):
    """No script at all: arrive, photo, the elder's digits and PIN, leave."""
    work = ground.bath_of()
    with time_machine.travel(BATH, tick=False) as clock:
        page = as_(ground.wu_user).get(reverse("visits:today"))
        assert "李桂兰" in page.content.decode() and len(page.context["today"]) == 1
        page = post(ground.wu_user, work, "arrived", longitude="113.13", latitude="27.83", accuracy_m="18.4")
        assert said(page) == ["已签到。"] and page.context["steps"] == [
            "photo",
            "confirmed",
            "left",
            "absent",
        ]
        clock.shift(10 * MINUTE)
        page = post(ground.wu_user, work, "photo", photo=SimpleUploadedFile("a.jpg", photo(), "image/jpeg"))
        assert len(page.context["photos"]) == 1
        assert said(post(ground.wu_user, work, "photo", photo=SimpleUploadedFile("a.jpg", b"nonsense"))) != []
        assert Photo.objects.count() == 1
        assert "密码" in said(post(ground.wu_user, work, "confirmed", code="LI", pin="135790"))[0]
        digits = codes_of(ground.li).typed
        typed = f"{digits[:4]} {digits[4:8]} {digits[8:]}"
        assert said(post(ground.wu_user, work, "confirmed", code=typed, pin=PIN)) == ["老人已确认。"]
        clock.shift(60 * MINUTE)
        page = post(ground.wu_user, work, "left")
        assert said(page) == ["服务完成，消费券已核销。"] and page.context["one"].step == "done"
        told = as_(ground.manager).get(reverse("redemption", args=[Redemption.objects.get().number]))
        assert (
            "证据充分" in told.content.decode() and str(Photo.objects.get().number) in told.content.decode()
        )
    assert Visit.objects.get().grade == "proven" and Redemption.objects.count() == 1
    assert VisitReport.objects.get(kind="arrived").accuracy_m == 18


def test_the_queue_of_a_phone_gets_a_receipt_or_a_refusal_for_each_key(ground):
    work, key = ground.bath_of(), str(uuid4())
    with time_machine.travel(BATH + 300 * MINUTE, tick=False):

        def send(kind, when, **data):
            told = {"accept": "application/json", "happened_at": when.isoformat()}
            return post(ground.wu_user, work, kind, **told, **data)

        first, again = send("arrived", BATH, key=key), send("arrived", BATH, key=key)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["number"] == again.json()["number"]
        early = send("left", BATH + 400 * MINUTE)
        assert (early.status_code, early.json()["code"]) == (422, "too_soon")
        assert send("arrived", BATH).json()["code"] == "arrived_before"
        shown = BATH + 30 * MINUTE
        assert send("confirmed", shown, code=code_of(ground.li, shown)["token"]).status_code == 201
        assert send("left", BATH + 80 * MINUTE).json()["paid"] is True
        assert send("nonsense", BATH).json()["code"] == "invalid_choice"
        assert send("denied", BATH).json()["code"] == "invalid_choice", "that is the elder's to say"
        gone = post(ground.he_user, work, "arrived", accept="application/json", happened_at=BATH.isoformat())
        assert (gone.status_code, gone.json()["code"]) == (422, "not_yours")
    assert Client().post(reverse("visits:report", args=[work.pk]), {}).status_code == 302, (
        "signed out: the queue waits"
    )


def test_others_visits_are_not_there(ground):
    work = ground.bath_of()
    tell(work, ground.wu, "arrived", BATH)
    post_photo = {"photo": SimpleUploadedFile("a.jpg", photo(), "image/jpeg")}
    with time_machine.travel(BATH + MINUTE, tick=False):
        post(ground.wu_user, work, "photo", **post_photo)
    picture = reverse("visits:photo", args=[Photo.objects.get().number])
    firm = story.operator("OP02", "别的机构")
    rival = User.objects.create(username="rival", role="operator_manager", operator=firm)
    other = Caregiver.objects.create(code="CG09", operator=firm, name="赵小兰")
    theirs = User.objects.create(username="theirs", role="caregiver", operator=firm)
    other.user = theirs
    other.save()
    for user, mine in ((ground.wu_user, True), (ground.he_user, False), (theirs, False)):
        assert (as_(user).get(reverse("visits:visit", args=[work.pk])).status_code == 200) is mine
        assert (as_(user).get(picture).status_code == 200) is mine
    for user, mine in ((ground.manager, True), (rival, False)):
        for url in (reverse("office:order", args=[work.pk]), picture):
            assert (as_(user).get(url).status_code == 200) is mine, url
    assert as_(ground.agent).get(picture).status_code == 403
    assert post(theirs, work, "left", accept="application/json").status_code == 404
    assert as_(theirs).get(reverse("visits:today")).context["today"] == []


def test_the_office_accepts_sends_and_declines(ground):
    work = ground.bring(ground.bath, BATH)
    lunches = [
        ground.order((ground.lunch, story.moment("2026-01-06 11:30")), elder=one).work.get()
        for one in (ground.li, ground.wang)
    ]
    meal = ground.bring(ground.meals, MEAL)
    client = as_(ground.manager)
    with time_machine.travel(NOW, tick=False):
        url = reverse("office:work") + "?day=2026-01-06"
        page = client.get(url)
        assert [name for name, *_rest in page.context["groups"]] == ["accept"]
        assert [(s.orders, s.waiting) for s in page.context["sittings"]] == [(1, 1), (2, 2)]
        page = client.post(url, {"work": [one.pk for one in (*lunches, meal)]}, follow=True)
        assert said(page) == ["已接 3 单，老人能看到。"]
        order = reverse("office:order", args=[work.pk])
        assert "李桂兰" not in client.get(order).content.decode()
        page = client.post(order, {"act": "assign", "caregiver": ground.he.pk}, follow=True)
        assert said(page) == ["已派何小弟去。"]
        assert client.post(order, {"act": "assign"}).status_code == 422
        assert client.post(order, {"act": "decline", "reason": ""}).status_code == 422
        rounds = reverse("office:rounds") + "?day=2026-01-06"
        page = client.get(rounds)
        assert "李桂兰" in page.content.decode() and Record.objects.filter(action="print_round").count() == 1
        client.post(rounds, {"caregiver": ground.he.pk})
        meal.refresh_from_db()
        assert (meal.state, meal.caregiver) == ("assigned", ground.he)
        page = client.post(order, {"act": "decline", "reason": "当天没有人手"}, follow=True)
        work.refresh_from_db()
        assert (work.state, said(page)[-1]) == ("declined", "已回绝。已通知老人，消费券已退回。")
        assert "当天没有人手" in client.get(order).content.decode()


def test_the_hotline_asks_and_the_family_reads_where_it_stands(ground):
    ground.agree(ground.li)
    work = ground.bath_of()
    family = as_(ground.daughter)
    session = family.session
    session["acting_for"] = "LI"
    session.save()
    order = reverse("market:order", args=[work.order.order.number])
    with time_machine.travel(BATH + 5 * MINUTE, tick=False) as clock:
        assert "已派人，按时上门" in family.get(order).content.decode()
        tell(work, ground.wu, "arrived", BATH)
        assert "人已到您家" in family.get(order).content.decode()
        clock.shift(90 * MINUTE)
        tell(work, ground.wu, "left", BATH + 80 * MINUTE)
        assert "热线会来电回访" in family.get(order).content.decode()
        agent = as_(ground.agent)
        listing = agent.get(reverse("hotline:visits"))
        assert listing.context["listing"].total == 1 and "李桂兰" not in listing.content.decode()
        one = reverse("hotline:visit", args=[work.pk])
        assert "李桂兰" in agent.post(reverse("hotline:visit_phone", args=[work.pk])).content.decode()
        assert Record.objects.filter(action="reveal_phone", subject="LI").exists()
        assert agent.post(one, {"key": "k"}).status_code == 422
        agent.post(one, {"kind": "unreached", "key": "k1"})
        assert [row.tries for row in agent.get(reverse("hotline:visits")).context["listing"].page] == [1]
        agent.post(one, {"kind": "confirmed", "key": "k2"})
        assert agent.get(one).status_code == 404 and Redemption.objects.count() == 1
        page = family.get(order)
        assert [row.state for row in page.context["rows"]] == ["done"]
        assert "入户时间 08:00 至 09:20" in page.content.decode()


def test_a_board_of_many_asks_as_little_as_one_of_few(ground):
    def count(user, url):
        client = as_(user)
        client.get(url)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert client.get(url).status_code == 200
        return len(asked)

    pages = {
        ground.manager: [
            reverse("office:work") + "?day=2026-01-06",
            reverse("office:rounds") + "?day=2026-01-06",
        ],
        ground.he_user: [reverse("visits:today")],
        ground.agent: [reverse("hotline:visits")],
    }
    with time_machine.travel(BATH, tick=False):

        def all_() -> list[int]:
            return [count(user, url) for user, urls in pages.items() for url in urls]

        work = ground.bath_of(caregiver=ground.he)
        tell(work, ground.he, "arrived", BATH)
        tell(work, ground.he, "left", BATH)
        few = all_()
        meals = [
            ground.bring(ground.meals, MEAL, elder) for elder in (ground.li, ground.wang) for _n in range(2)
        ]
        for meal in meals:
            dispatch.assign(work=meal, caregiver=ground.he, by=BY, at=NOW)
        later = ground.bath_of(ground.wang, BATH_LATER)
        tell(later, ground.wu, "arrived", BATH_LATER, at=BATH_LATER)
        tell(later, ground.wu, "left", BATH_LATER, at=BATH_LATER)
        assert all_() == few


def test_an_account_is_tied_to_a_caregiver_once(ground, capsys):
    """The command of docs/visits.md."""
    new = User.objects.create(username="xin", role="caregiver", operator=ground.firm)
    mei = Caregiver.objects.create(code="CG03", operator=ground.firm, name="梅小雨")
    call_command("link_caregiver", "xin", "CG03")
    call_command("link_caregiver", "xin", "CG03")
    mei.refresh_from_db()
    assert mei.user == new and Record.objects.filter(action="give_account", subject="CG03").count() == 1
    for name, code in (("manager", "CG03"), ("xin", "CG01"), ("nobody", "CG03"), ("xin", "CG99")):
        with pytest.raises(CommandError):
            call_command("link_caregiver", name, code)
    assert Caregiver.objects.get(code="CG01").user == ground.wu_user


def test_what_stands_open_at_a_visit_and_what_is_sent_first():
    done = subprocess.run(["node", "tests/web/visit_steps.mjs"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_phone_keeps_pages_of_nobody_in_particular(client, db):
    script = client.get(reverse("visits:worker"))
    assert script.status_code == 200 and script.headers["Cache-Control"] == "no-cache"
    assert 'const PAGES = "/visits/";' in script.content.decode()
    assert '"/visits/"' not in script.content.decode().split("const FILES = ")[1].split("\n")[0]
    assert json.loads(client.get(reverse("visits:manifest")).content)["scope"] == "/visits/"
