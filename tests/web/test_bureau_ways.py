"""The bureau's ways: an offer that ends, the plan of premises, the whole way of a fen, whom vouchers reach, Fava."""

import time
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from ledger.audit.models import Record
from ledger.books.export import export
from ledger.journal.queries import balances
from ledger.models import Entry
from marketplace.browsing import operations as browsing
from marketplace.offerings.operations import publish
from marketplace.overview.models import Snapshot
from marketplace.overview.operations import take_snapshot
from providers.leases.paid_by import paid_by, shares
from providers.models import Lease, Offer, Premises
from providers.premises.plan import Band, Due, Window, bands, due
from tests import story
from tests.story import JANUARY, elder_named, moment
from tests.web.test_desk import client
from vouchers.city.offers import CannotEnd, end_offer
from vouchers.models import Redemption
from vouchers.redemption.refusals import CannotRedeem

AT = moment("2026-03-20 09:00")
D = date.fromisoformat


# An offer ends


def test_an_offer_ends_on_a_day_and_comes_back(story_db):
    clerk = client("clerk")
    offer = Offer.objects.get(premises__code="PM01", service__code="MEAL")
    here = reverse("registers:offer", args=["MEAL", "PM01"])
    last = Redemption.objects.filter(lease__premises=offer.premises, service=offer.service, reversed_on=None)
    served = last.order_by("-service_on").first().service_on

    def end(day: date, why: str = "该点改做日间照料"):
        return clerk.post(here, {"do": "end", "ends_on": day.isoformat(), "end_why": why})

    assert end(served, why="").status_code == 422
    early = end(served - timedelta(days=1))
    assert early.status_code == 422 and served.isoformat() in early.content.decode()
    assert client("approver").post(here, {"do": "end"}).status_code == 403
    assert end(D("2026-03-27")).status_code == 302
    assert end(D("2026-03-28")).status_code == 422  # another clerk was first
    story.redeem("on-the-last-day", "LI", "MEAL", "PM01", "2026-03-27 11:30")
    with pytest.raises(CannotRedeem) as refused:
        story.redeem("the-day-after", "LI", "MEAL", "PM01", "2026-03-28 11:30")
    assert refused.value.code == "service_not_offered"
    publish(on=D("2026-03-27"), by="test", at=AT)
    offer.refresh_from_db()
    assert offer.supply.listed
    assert publish(on=D("2026-03-28"), by="test", at=AT).withdrawn == 1
    shown = clerk.get(reverse("registers:service", args=["MEAL"])).content.decode()
    assert (
        "2026-03-27" in shown
        and "2026-03-27" in clerk.get(reverse("registers:one_premises", args=["PM01"])).content.decode()
    )
    noted = Record.objects.get(action="end_offer")
    assert (noted.subject, noted.detail["ends_on"]) == ("PM01 MEAL", ["", "2026-03-27"])

    again = {"do": "again", "again_why": "恢复供餐"}
    assert clerk.post(here, again).status_code == 302 and clerk.post(here, again).status_code == 422
    story.redeem("the-day-after", "LI", "MEAL", "PM01", "2026-03-28 11:30")
    story.place("for-april", "ZHAO", "MEAL", "PM01", "2026-04-02", "2026-03-30 18:00")
    assert client("officer-west").get(here).status_code in (200, 404)  # by where the premises lie


def test_an_offer_with_places_booked_stays(story_db):
    from providers.models import Slot

    offer = Offer.objects.get(premises__code="PM03", service__code="MEAL")
    Slot.objects.create(
        offer=offer,
        starts_at=moment("2026-04-10 11:00"),
        ends_at=moment("2026-04-10 12:00"),
        capacity=9,
        taken=1,
    )
    with pytest.raises(CannotEnd) as refused:
        end_offer(offer=offer, ends_on=D("2026-04-09"), reason="停止", by="clerk", at=AT)
    assert refused.value.code == "booked_later" and "2026-04-10" in str(refused.value)
    assert end_offer(offer=offer, ends_on=D("2026-04-10"), reason="停止", by="clerk", at=AT).ends_on


# The plan of premises


def test_bands_of_a_plan_follow_stages_and_leases():
    """Eight quarters around 15 May 2026: from July 2025. Months are as wide as each other."""
    window = Window.around(D("2026-05-15"))
    assert (window.starts_on, window.quarters[0], window.quarters[-1]) == (
        D("2025-07-01"),
        (2025, 3),
        (2027, 2),
    )
    assert window.at(D("2025-01-01")) == 0 and window.at(D("2031-01-01")) == 24
    assert window.at(D("2026-05-16")) == round(10 + 15 / 31, 3)
    stages = [("surveyed", D("2024-01-01")), ("listed", D("2025-08-01")), ("leased", D("2026-01-01"))]
    found = bands(stages=stages, leases=[(D("2026-01-01"), D("2026-12-31"))], window=window)
    now = window.at(D("2026-05-16"))
    assert found == [
        Band("surveyed", 0, 1),
        Band("listed", 1, 5),
        Band("leased", 6, round(now - 6, 3)),
        Band("ahead", now, round(18 - now, 3)),
    ]
    # Before the first stage on record the lease of then; what is over and before the window is not drawn.
    earlier = bands(
        stages=[("operating", D("2026-05-01"))], leases=[(D("2025-10-01"), D("2026-09-30"))], window=window
    )
    assert [one.what for one in earlier] == ["leased", "operating", "ahead"] and earlier[0] == Band(
        "leased", 3, 7
    )
    assert bands(stages=[], leases=[(D("2020-01-01"), D("2020-12-31"))], window=window) == []

    today = D("2026-05-15")
    for stage, since, ends, expected in (
        ("operating", "2026-01-01", "2026-05-31", Due("lease_ends", 16)),
        ("operating", "2026-01-01", "2030-01-01", None),
        ("operating", "2026-05-01", None, Due("no_lease", 14)),
        ("leased", "2025-01-01", "2030-01-01", Due("not_operating", 499)),
        ("listed", "2025-01-01", None, Due("long_listed", 499)),
        ("surveyed", "2026-05-01", None, None),
        ("retired", "2020-01-01", None, None),
    ):
        asked = {"stage": stage, "since": D(since), "lease_ends": ends and D(ends), "today": today}
        assert due(**asked) == expected, stage


def test_the_plan_lists_premises_with_what_is_next(story_db, django_assert_num_queries):
    clerk = client("clerk")
    url = reverse("registers:plan")
    page = clerk.get(url)
    text = page.content.decode()
    assert page.context["listing"].total == Premises.objects.count()
    assert '<rect class="leased"' in text or '<rect class="operating"' in text
    assert '<rect class="ahead"' in text and text.count('class="bar plan"') == len(
        page.context["listing"].page
    )
    told = b"".join(clerk.get(url, {"format": "csv"}).streaming_content).decode("utf-8-sig")
    assert len(told.splitlines()) == 1 + Premises.objects.count() and "Plan" not in told.splitlines()[
        0
    ].split(",")
    assert client("officer-east").get(url).context["listing"].total < page.context["listing"].total
    assert client("manager-op01").get(url).status_code == 403


# The whole way of a fen


def test_money_pays_the_oldest_month_first():
    came = [Decimal(30), Decimal(50), Decimal(40)]
    asked = {"came": came}
    assert shares(before=Decimal(0), due=Decimal(60), **asked) == [30, 30, 0]
    assert shares(before=Decimal(60), due=Decimal(50), **asked) == [0, 20, 30]
    assert shares(before=Decimal(110), due=Decimal(50), given_back=Decimal(10), **asked) == [0, 0, 0]
    assert sum(shares(before=Decimal(0), due=Decimal(200), **asked)) == 120


def test_the_whole_way_from_issue_to_bank_line_on_one_page(story_db):
    """Grandma Li's meal of January and back: each step with its link, and for the bureau its lines in the books."""
    found = Redemption.objects.get(key="li-feast-20")
    lease = Lease.objects.get(code="LS03")
    claim = found.claims.get(lease=lease)
    here = reverse("redemption", args=[found.number])
    page = client("auditor").get(here)
    text = page.content.decode()
    walk = page.context["walk"]
    titles = [step.title for step in walk]
    assert titles[:2] == ["Issued", "Voucher it came from"] and titles.index(
        "This redemption"
    ) < titles.index("Rent offset")
    assert titles.index("Rent offset") < titles.index("Approvals")
    approvals = next(step for step in walk if step.title == "Approvals")
    assert len(approvals.notes) == 3
    for href in (
        f"{reverse('lines', args=['LS03', claim.statement.month, 'earned'])}?q={found.number}",
        reverse("entry", args=[claim.statement.entry_id]),
    ):
        assert f'href="{href}"' in text
    assert f"^{found.number}" in text and "Expenses:RentOffset:LS03" in text
    due = claim.statement.cash_due - sum(
        (one.amount for one in paid_by(lease=lease, month=claim.statement.month)), Decimal(0)
    )
    assert (f"{due:,.2f}" in text or str(due) in text) or due == 0
    # Each entry shown is one of the journal's, in its own words; an operator reads no entries.
    shown = [step.entry for step in walk if step.books]
    assert shown and all(Entry.objects.filter(pk=one.pk).exists() for one in shown)
    manager = client("manager-op01" if lease.operator.code == "OP01" else "manager-op02").get(here)
    if manager.status_code == 200:
        assert not any(step.books for step in manager.context["walk"])


def test_the_lines_that_paid_a_month_stand_on_the_way(story_db):
    """Every yuan matched to a lease stands at one month of it, or beyond all its dues."""
    for lease in Lease.objects.all():
        months = [one.month for one in lease.rent_charges.all()]
        shared = sum(
            (one.amount for month in months for one in paid_by(lease=lease, month=month)), Decimal(0)
        )
        charged = sum((one.cash_due for one in lease.rent_charges.all()), Decimal(0))
        owed = balances().get(f"Assets:Receivable:Rent:{lease.code}", Decimal(0))
        assert shared == charged - max(owed, Decimal(0)), lease.code
    assert any(
        paid_by(lease=one, month=month.month)
        for one in Lease.objects.all()
        for month in one.rent_charges.all()
    )


# Whom vouchers reach


def test_reach_adds_up_by_street_and_names_who_never_used_one(story_db):
    take_snapshot(today=AT.date(), at=AT)
    snapshot = Snapshot.objects.get()
    page = client("auditor").get(reverse("bureau:reach"))
    rows, whole = page.context["rows"], page.context["sum"]
    for name in ("issued", "redeemed", "left"):
        assert (
            sum(row[name] for row in rows)
            == whole[name]
            == sum(Decimal(one[name]) for one in snapshot.programmes)
        )
    assert whole["holders"] == snapshot.reach["holders"] and whole["never"] == snapshot.reach["never"]
    east = client("officer-east")
    own = east.get(reverse("bureau:reach"))
    assert own.context["sum"]["issued"] < whole["issued"]
    overview = east.get(reverse("bureau:overview"))
    assert overview.context["reach"] == own.context["sum"]
    assert "Vouchers of those who live here" in overview.content.decode()
    for row in rows:  # each figure opens its lines
        listed = client("clerk").get(reverse("bureau:unused", args=[row["division"].code]))
        assert listed.context["listing"].total == row["never"]
    elder = elder_named("ZHANG")
    elder.redemptions.all()  # control: whoever used one is not there
    street = next(row["division"] for row in rows)
    text = client("clerk").get(reverse("bureau:unused", args=[street.code])).content.decode()
    assert elder.name not in text
    west = next(
        row["division"] for row in rows if row["division"].pk != story.user_named("officer-east").division_id
    )
    assert east.get(reverse("bureau:unused", args=[west.code])).status_code == 404
    asked = reverse("bureau:unused", args=[street.code])
    assert client("auditor").get(asked, {"format": "csv"}).status_code == 200
    assert Record.objects.filter(action="export_unused", by="auditor").exists()


# Fava


def test_a_months_books_open_in_fava_behind_the_sign_in(story_db, tmp_path, settings):
    settings.DATA_DIR = tmp_path
    export(tmp_path / "books")
    url = reverse("reports:fava", args=[JANUARY])
    auditor = client("auditor")
    for name in ("officer", "manager-op01", "administrator"):
        assert client(name).get(url).status_code == 403
    assert auditor.get(reverse("reports:fava", args=[D("2031-01-01")])).status_code == 404
    try:
        until = time.monotonic() + 60
        while (answer := auditor.get(url)).status_code == 202:
            assert time.monotonic() < until and answer["Refresh"] == "2"
            time.sleep(0.2)
        assert answer.status_code == 302 and answer["Location"].startswith(url)
        page = auditor.get(answer["Location"])
        assert page.status_code == 200 and b"ledger-data" in page.content
        assert "'unsafe-inline'" in page["Content-Security-Policy"].split("style-src")[1].split(";")[0]
        assert "'unsafe-inline'" not in page["Content-Security-Policy"].split("script-src")[1].split(";")[0]
        slug = answer["Location"].removeprefix(url).split("/")[0]
        told = auditor.get(f"{url}{slug}/api/journal").json()
        assert "LS01" in str(told)
        for method in (auditor.post, auditor.put, auditor.delete):
            assert method(f"{url}{slug}/api/source").status_code == 405
        assert Record.objects.filter(action="open_books", by="auditor", subject="2026-01").count() == 1
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(browsing, "MOST_BYTES", 10)
            assert "too large" in auditor.get(url).content.decode()
        # Without its marker nobody keeps it open any longer.
        (marker,) = (tmp_path / "run").glob("fava-*.json")
        marker.unlink()
        assert browsing._begun[-1].wait(timeout=20) is not None
    finally:
        for child in browsing._begun:
            if child.poll() is None:
                child.terminate()
                child.wait(timeout=20)
