"""The bureau's month and overview say what is so: what blocks, what is objected to, held, taken back, paid."""

from datetime import date

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from ledger.audit.models import Record
from marketplace.overview.operations import take_snapshot
from marketplace.web.trace import lines
from providers.leases.paid_by import months_paid, paid_by
from providers.models import Lease, Receipt
from tests import databases, story
from tests.story import FEBRUARY, JANUARY, MARCH, moment
from tests.vouchers.test_closing import MARCH_1, left_empty
from tests.vouchers.test_settlement_people import AT, ground, now
from vouchers.models import Objection, Statement
from vouchers.proof.queries import prove
from vouchers.settlement.objections import TERM_DAYS, answer, object_to
from vouchers.settlement.operations import lock_if_complete

MONTH = reverse("bureau:month", args=[JANUARY])
OVERVIEW = reverse("bureau:overview")


@pytest.fixture(scope="module")
def told(story_template, django_db_blocker):
    """One database of this module's own in which the story has been told."""
    name = databases.clone(story_template)
    with django_db_blocker.unblock():
        yield name
    databases.drop(name)


@pytest.fixture
def in_story(told):
    """The told story for one test; what the test writes is rolled back."""
    with databases.pointed_at(told), transaction.atomic():
        yield
        transaction.set_rollback(True)


def client(name: str) -> Client:
    one = Client(headers={"accept-language": "en"})
    one.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
    return one


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def blocking(url: str = MONTH, who: str = "clerk") -> list[str]:
    return [one.text for one in client(who).get(url).context["blockers"]]


# What blocks


def test_a_month_that_says_it_is_done_can_be_locked(db):
    """A lease comes after the drawing: the page names it until it has a statement, and never says "all posted"
    while the month could not be locked."""
    ground()
    story.redeem("qian", "QIAN", "MEAL", "PM01", "2026-01-10 11:30")
    story.dies("QIAN", "2026-01-09", at="2026-01-30")  # held back: blocks nothing
    place = story.premises("PM04", story.Division.objects.get(code="98010101"))
    crane = story.Operator.objects.get(code="OP01")
    story.lease("LS04", place, crane, starts_on="2026-01-10")
    take = {
        "confirm": lambda code: story.manager_of(code), "review": lambda _: "officer", "approve": lambda _: "approver",
    }  # fmt: skip
    story.draw_up(JANUARY, at=AT)
    Statement.objects.filter(lease__code="LS04").delete()  # as if it had come only now
    for code in ("LS01", "LS02", "LS03"):
        for step, who in take.items():
            assert len(blocking()) > 1
            story.step(code, JANUARY, step, who(code), at=AT)
    page = client("clerk").get(MONTH)
    said = text_of(page)
    assert blocking() == blocking(OVERVIEW) == ["1 lease has no statement yet: draw the month up again"]
    assert "LS04" in said and "Draw up again" in said and "is posted" not in said
    assert (
        page.context["held"] == "1 redemption is held for review"
        and "they keep nothing from being locked" in said
    )
    assert not lock_if_complete(month=JANUARY, by="test", at=moment(AT))
    assert blocking(who="auditor") == blocking()
    story.draw_up(JANUARY, at=AT)
    assert blocking() == ["1 waits for the operator to confirm"]
    for step, who in take.items():
        story.step("LS04", JANUARY, step, who("LS04"), at=AT)
    assert blocking() == [] and "is posted" in text_of(client("clerk").get(MONTH))
    assert lock_if_complete(month=JANUARY, by="test", at=moment(AT))  # control: what the page says is so


def test_one_division_sees_that_others_are_not_done(db):
    """A clerk of the east sees its leases posted, and yet that the month waits for the west's."""
    ground()
    east = story.Division.objects.get(code="980101")
    story.user("clerk-east", "bureau_clerk", division=east)
    for code in ("LS01", "LS03"):
        for step, who in (
            ("confirm", story.manager_of(code)),
            ("review", "officer"),
            ("approve", "approver"),
        ):
            story.step(code, JANUARY, step, who, at=AT)
    assert blocking(who="clerk-east") == ["1 lease of another division is not posted yet"]
    assert blocking() == ["1 waits for the operator to confirm"]  # the whole city sees which


def test_a_statement_of_which_nothing_is_left_leads_on(db):
    left_empty()
    url = reverse("step", args=["LS03", FEBRUARY])
    digest = story.statement("LS03", FEBRUARY).digest
    clerk = client("clerk")
    response = clerk.post(url, {"seen": digest}, follow=True)
    assert response.redirect_chain == [(reverse("steps"), 302)]
    assert "There is no statement any more" in text_of(response)
    assert clerk.post(url, {"seen": digest}).status_code == 404


# Objections


def test_an_open_objection_is_seen_where_the_month_is_looked_at(db):
    ground()
    one = object_to(
        statement=now(), figure="earned", redemption=story.redeemed("li"), text="two meals, not one",
        by=story.user_named("manager-op01"), at=moment(AT),
    )  # fmt: skip
    page = client("clerk").get(MONTH)
    rows = {row.code: (row.objected, term) for row, term in page.context["rows"]}
    first = date(2026, 2, 1 + TERM_DAYS)
    assert rows == {"LS01": (True, first), "LS02": (False, first), "LS03": (False, first)}
    link = f'href="{reverse("objections", args=["LS01", JANUARY])}"'
    assert link in text_of(page) and "objections until Sunday, 8 February" in text_of(page)
    assert any("objection that waits" in words for words in blocking())
    listed = client("clerk").get(f"{MONTH}?objected=1").context["listing"]
    assert [row.code for row in listed.rows] == ["LS01"]
    for who, sees in (("clerk", True), ("officer-east", True), ("officer-west", False)):
        assert (link in text_of(client(who).get(OVERVIEW))) is sees, who
    answer(
        objection=one, answer="declined", reply="seen", by=story.user_named("clerk"), at=moment("2026-02-05")
    )
    page = client("clerk").get(MONTH)
    assert link not in text_of(page) and link not in text_of(client("clerk").get(OVERVIEW))
    assert {row.code: term for row, term in page.context["rows"]}["LS01"] == date(2026, 2, 5 + TERM_DAYS)
    assert Objection.objects.count() == 1


# Held back


def test_what_was_held_when_it_was_posted_is_told_with_what_became_of_it(db, monkeypatch):
    ground()
    for key, hour in (("cleared", 11), ("waits", 12)):
        story.redeem(key, "QIAN", "MEAL", "PM01", f"2026-01-10 {hour}:30")
    story.dies("QIAN", "2026-01-09", at="2026-01-30")
    story.settle(JANUARY, at=AT)
    url = reverse("lines", args=["LS01", JANUARY, "under_review"])

    def look() -> tuple[bool, str]:
        page = client("clerk").get(url)
        assert page.context["listing"].total == 2
        return page.context["agrees"], text_of(page)

    story.decide("cleared", release=True, at="2026-02-10")
    agrees, said = look()
    assert agrees and "cleared, counts in the next statement" in said and "still held back" in said
    story.settle(FEBRUARY, at=MARCH_1)
    agrees, said = look()
    assert agrees and "cleared, counts in February" in said
    story.decide("waits", release=False, at="2026-03-03")
    agrees, said = look()
    assert agrees and "reversed later" in said and "drawing it up again" not in said
    found = lines.find

    def tampered(*args):
        statement = found(*args)
        statement.under_review = 1
        return statement

    monkeypatch.setattr(lines, "find", tampered)  # control: what cannot be is said
    agrees, said = look()
    assert not agrees and "tell the administrator" in said and "drawing it up again" not in said


# One redemption taken back


def test_a_clerk_reverses_one_redemption_from_its_page(in_story):
    """Grandma Li's meal of February stands on no posted statement; Zhang's of January stands on one."""
    waits, stands = story.redeemed("li-meal-3"), story.redeemed("zhang-meal")
    page = text_of(client("clerk").get(reverse("redemption", args=[waits.number])))
    url = reverse("reversal", args=[waits.number])
    assert f'href="{url}"' in page
    shown = text_of(client("clerk").get(url))
    serial = waits.movements.filter(kind="redeem").first().voucher.serial
    assert f"goes back to voucher {serial}" in shown and "It stands on no posted statement" in shown
    assert "expires at once" in text_of(client("clerk").get(reverse("reversal", args=[stands.number])))
    assert "LS01 · January" in text_of(client("clerk").get(reverse("reversal", args=[stands.number])))
    assert client("clerk").post(url, {"reason": ""}).status_code == 422
    for who, status in (("auditor", 403), ("officer", 403), ("manager-op01", 403)):
        assert client(who).post(url, {"reason": "wrong elder"}).status_code == status, who
    waits.refresh_from_db()
    assert waits.reversed_on is None  # nobody's press above did anything
    response = client("clerk").post(url, {"reason": "wrong elder at the counter"})
    assert response.status_code == 302 and response.url == reverse("redemption", args=[waits.number])
    waits.refresh_from_db()
    assert waits.reversed_on is not None and waits.reversal.by == "clerk"
    kept = Record.objects.get(action="reverse", subject=waits.number)
    assert (
        kept.by == "clerk" and kept.channel == "web" and kept.detail["reason"] == "wrong elder at the counter"
    )
    assert f'href="{url}"' not in text_of(client("clerk").get(response.url))
    again = client("approver").post(url, {"reason": "once more"})
    assert again.status_code == 409 and "reversed before" in text_of(again)
    assert client("clerk").get(url).status_code == 200
    assert not [one for one in prove() if one.violations]


def test_a_clerk_of_one_division_reverses_only_there(in_story):
    story.user("clerk-west", "bureau_clerk", division=story.Division.objects.get(code="980102"))
    url = reverse("reversal", args=[story.redeemed("zhang-meal").number])
    assert client("clerk-west").get(url).status_code == 404
    assert client("clerk-west").post(url, {"reason": "wrong elder"}).status_code == 404
    assert client("clerk").get(url).status_code == 200  # control


# The whole way


def test_the_way_of_a_reversed_meal_ends_where_it_was_taken_back(in_story):
    """Grandma Li's first meal stood on January's statement and is taken off February's."""
    meal = story.redeemed("li-meal")
    page = client("clerk").get(reverse("redemption", args=[meal.number]))
    hrefs = [step.href for step in page.context["walk"]]
    for month, figure in ((JANUARY, "earned"), (FEBRUARY, "reversed")):
        url = f"{reverse('lines', args=['LS01', month, figure])}?q={meal.number}"
        assert url in hrefs
        found = client("clerk").get(url).context["listing"]
        assert [line.redemption_id for line in found.page] == [meal.pk], figure
    waits = story.redeemed("li-meal-2")  # stood on February's; March is only drawn up
    titles = [
        step.words for step in client("clerk").get(reverse("redemption", args=[waits.number])).context["walk"]
    ]
    assert "on the next statement of LS01" in titles


def test_a_bank_line_leads_to_the_months_it_paid(in_story):
    """Matched by code, without a month of its own; and split over two leases."""
    paid = Receipt.objects.get(state="matched")
    assert paid.month is None
    page = client("clerk").get(reverse("bureau:receipt", args=[paid.bank_line_id]))
    assert f'href="{reverse("statement", args=["LS01", JANUARY])}"' in text_of(page)
    line = Receipt.objects.get(state="proposed").bank_line
    url = reverse("bureau:receipt", args=[line.pk])
    client("clerk").post(
        url, {"do": "match", "lease_0": "LS01", "amount_0": "25", "lease_1": "LS03", "amount_1": "25"}
    )
    page = client("clerk").get(url)
    assert page.context["parts"] and f'href="{reverse("statement", args=["LS03", JANUARY])}"' in text_of(page)
    # Both ways say the same: each month's lines, and each line's months.
    there = {
        (lease.code, charge.month, one.line.pk): one.amount
        for lease in Lease.objects.all()
        for charge in lease.rent_charges.all()
        for one in paid_by(lease=lease, month=charge.month)
    }
    back = {
        (lease.code, month, one.bank_line_id): amount
        for one in Receipt.objects.filter(bank_line__direction="in").select_related("bank_line")
        for lease in Lease.objects.all()
        for month, amount in months_paid(line=one.bank_line, lease=lease)
    }
    assert there == back and len(there) >= 3


# The overview


def test_vouchers_stand_on_the_overview_before_the_first_month_and_go_out_as_a_file(db):
    story.town()
    story.issue_on("2026-01-01")
    take_snapshot(today=JANUARY, at=moment("2026-01-02"))
    page = client("clerk").get(OVERVIEW)
    said = text_of(page)
    assert page.context["month"] is None and "No month has been drawn up yet" in said
    assert 'id="h-vouchers"' in said and "table=vouchers&amp;format=xlsx" in said
    rows = b"".join(
        client("clerk").get(OVERVIEW, {"table": "vouchers", "format": "csv"}).streaming_content
    ).decode("utf-8-sig").splitlines()  # fmt: skip
    shown = page.context["programmes"]
    assert rows[0].startswith("Programme,Name,Issued") and len(rows) == 1 + len(shown) > 3
    assert {row.split(",")[0] for row in rows[1:]} == {one["code"] for one in shown}
    own = b"".join(
        client("officer-east").get(OVERVIEW, {"table": "vouchers", "format": "csv"}).streaming_content
    ).decode("utf-8-sig").splitlines()  # fmt: skip
    assert len(own) == 2 and own[0].startswith("Issued")
    assert 'id="h-vouchers"' in text_of(client("officer-east").get(OVERVIEW))


def test_cash_that_came_after_the_last_drawn_month_is_shown(in_story):
    assert client("clerk").get(OVERVIEW).context["later"] == []
    story.bank(story.bank_line("2026-04-08 09:00", 13, summary="LS01 房租"), at="2026-04-09")
    page = client("clerk").get(OVERVIEW)
    assert [(month, amount) for month, amount in page.context["later"]] == [(date(2026, 4, 1), 13)]
    assert page.context["month"] == MARCH and "not drawn up yet" in text_of(page)
    rows = b"".join(client("clerk").get(OVERVIEW, {"format": "csv"}).streaming_content).decode("utf-8-sig")
    assert rows.splitlines()[-1] == "2026-04,,,,,,13.00"
