"""The bureau's registers over HTTP: who enters what, what is refused and where, what two at once come to."""

import re
from datetime import date, timedelta
from decimal import Decimal
from zlib import crc32

import pytest
from django.db import IntegrityError
from django.db.models import Sum
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger.audit.models import Record
from marketplace.accounts import grants
from marketplace.accounts.grants import (
    CannotGrant,
    accept,
    confirm,
    decline,
    end_account,
    second_half,
)
from marketplace.accounts.models import Grant, User
from marketplace.jobs.models import Job
from marketplace.sample.people import resident_id
from providers.models import Division, Lease, LeaseTerms, Operator, Premises, Price, StageChange
from providers.premises.operations import CannotMove, move_premises
from tests import story
from tests.story import MARCH, elder_named, moment
from tests.threads import at_once
from tests.web.test_desk import checked, client, upload
from vouchers.city.entry import Changed, Taken, digest, enter, row_of
from vouchers.city.tenancy import CannotChange, end_lease, outstanding, set_terms
from vouchers.elders.changes import CannotChangeElder, link_double
from vouchers.elders.deaths import correct_death, learn_death
from vouchers.elders.search import learn_names
from vouchers.models import Programme, Redemption, Statement, Voucher
from vouchers.programmes import design
from vouchers.programmes.operations import issue
from vouchers.proof.queries import prove
from vouchers.settlement.operations import close_month

AT = moment("2026-03-20 09:00")


def fields(page: str) -> dict[str, str]:
    """What the first form that is posted on a page would send, untouched."""
    form = re.search(r'<form[^>]*method="post"(?! action).*?</form>', page[page.index("<main") :], re.S)
    assert form, page
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        name = re.search(r'name="([^"]+)"', tag)
        if not name or ('type="checkbox"' in tag and " checked" not in tag):
            continue
        value = re.search(r'value="([^"]*)"', tag)
        found[name[1]] = value[1] if value else ""
    for name, inner in re.findall(r'<select[^>]*name="([^"]+)".*?>(.*?)</select>', form[0], re.S):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        found[name] = chosen[1] if chosen else ""
    return found


def page(who: Client, name: str, /, *args: str, query: str = "") -> str:
    response = who.get(reverse(f"registers:{name}", args=args) + query)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def send(who: Client, name: str, /, *args: str, **typed: str):
    return who.post(reverse(f"registers:{name}", args=args), typed)


HALL = {
    "code": "PM09",
    "name": "老电影院",
    "former_use": "hall",
    "owner": "湖城文旅集团",
    "owner_kind": "state_firm",
    "division": "980101",
    "address": "湖滨路 9 号",
    "floor_area_m2": "640.50",
    "condition": "repair",
    "stage": "surveyed",
    "market_rent": "5200",
}


def test_premises_are_entered_changed_and_taken_from_stage_to_stage(story_db):
    clerk, second = client("clerk"), client("clerk")
    wrong = send(clerk, "new_premises", **HALL | {"code": "pm9", "name": "", "floor_area_m2": "big"})
    text = wrong.content.decode()
    assert wrong.status_code == 422 and text.count('class="wrong"') == 3 and "老电影院" not in text
    assert "湖滨路 9 号" in text and 'value="5200"' in text  # nothing typed is lost
    assert 'aria-invalid="true"' in text and "must be given" in text.lower()
    assert not Premises.objects.filter(owner="湖城文旅集团").exists()

    assert send(clerk, "new_premises", **HALL).status_code == 302
    again = send(second, "new_premises", **HALL | {"name": "另一处"})
    assert again.status_code == 422 and "stands on the register already" in again.content.decode()
    hall = Premises.objects.get(code="PM09")
    assert hall.name == "老电影院" and hall.stage_changes.get().stage == "surveyed"

    shown = fields(page(second, "edit_premises", "PM09"))
    assert send(clerk, "edit_premises", "PM09", **shown | {"market_rent": "4800"}).status_code == 302
    late = send(second, "edit_premises", "PM09", **shown | {"name": "旧影院"})
    assert late.status_code == 422 and "旧影院" in late.content.decode()
    assert "changed this meanwhile" in late.content.decode()
    hall.refresh_from_db()
    assert (hall.name, hall.market_rent) == ("老电影院", Decimal("4800.00"))
    noted = Record.objects.get(action="change_premises", subject="PM09")
    assert noted.detail == {"market_rent": ["5200.00", "4800.00"]} and noted.by == "clerk"
    assert "4800" in page(clerk, "one_premises", "PM09")

    today = timezone.localdate()
    move = {"seen": "surveyed", "since_on": today.isoformat(), "decision_no": "", "why": ""}
    for typed, told in (
        ({"stage": "operating"}, "cannot follow"),
        ({"stage": "listed", "since_on": (today + timedelta(days=1)).isoformat()}, "cannot lie ahead"),
        ({"stage": "listed", "since_on": "soon"}, "Name a day"),
        ({"stage": "retired"}, "elder care first"),
        ({"stage": "listed", "seen": "leased"}, "meanwhile"),
    ):
        answer = send(clerk, "one_premises", "PM09", **move | typed)
        assert answer.status_code == 422 and told in answer.content.decode(), told
    assert send(clerk, "one_premises", "PM09", **move | {"stage": "listed"}).status_code == 302
    gone = {"seen": "listed", "stage": "retired", "decision_no": "湖府办 12", "why": "改建为消防站"}
    assert send(clerk, "one_premises", "PM09", **move | gone).status_code == 302
    assert "湖府办 12" in page(clerk, "one_premises", "PM09")
    assert list(StageChange.objects.filter(premises=hall).values_list("stage", flat=True)) == [
        "surveyed", "listed", "retired",
    ]  # fmt: skip


def test_two_who_move_premises_at_once_move_them_once(story_db):
    place = Premises.objects.get(code="PM03")  # its lease has ended
    calls = [
        lambda stage=stage: move_premises(
            premises=place, seen="operating", stage=stage, on=date(2026, 3, 1), by="clerk", at=AT
        )
        for stage in ("listed", "listed", "listed")
    ]
    answers = at_once(calls)
    moved = [one for one in answers if isinstance(one, StageChange)]
    refused = [one for one in answers if isinstance(one, CannotMove)]
    assert len(moved) == 1 and {one.code for one in refused} == {"moved_on"} and len(refused) == 2
    leased = Premises.objects.get(code="PM01")  # control: a running lease keeps them from standing empty
    (answer,) = at_once(
        [
            lambda: move_premises(
                premises=leased, seen="operating", stage="listed", on=date(2026, 3, 1), by="clerk", at=AT
            )
        ]
    )
    assert isinstance(answer, CannotMove) and answer.code == "lease_in_force"


def test_two_who_enter_one_code_at_once_enter_it_once(story_db):
    calls = [
        lambda name=name: (
            enter(name="premises", rows=[HALL | {"name": name}], new=True, by="clerk", at=AT).new
        )
        for name in ("甲", "乙", "丙")
    ]
    answers = at_once(calls)
    assert answers.count(1) == 1 and sum(isinstance(one, Taken) for one in answers) == 2
    assert StageChange.objects.filter(premises__code="PM09").count() == 1


def test_a_street_officer_sees_the_own_street_and_changes_nothing(story_db):
    west, auditor = client("officer-west"), client("auditor")
    shown = page(west, "premises")
    assert "PM02" in shown and "PM01" not in shown
    assert west.get(reverse("registers:one_premises", args=["PM01"])).status_code == 404
    assert west.get(reverse("registers:lease", args=["LS01"])).status_code == 404
    assert west.get(reverse("registers:operator", args=["OP01"])).status_code == 404
    assert west.get(reverse("registers:programme", args=["PA"])).status_code == 404
    assert west.get(reverse("registers:programme", args=["PC"])).status_code == 200
    assert "LS02" in page(west, "leases") and "LS01" not in page(west, "leases")
    for who in (west, auditor):
        assert who.get(reverse("registers:new_premises")).status_code == 403
        assert send(who, "one_premises", "PM02", stage="listed").status_code == 403
        assert send(who, "lease", "LS02", basis="relief").status_code == 403
        assert send(who, "operator", "OP02", do="suspend", suspended_on="2026-03-01").status_code == 403
    assert Operator.objects.get(code="OP02").suspensions.count() == 0


def test_lists_filter_sort_and_export_what_they_show(story_db):
    clerk = client("clerk")
    assert "Nothing fits this filter" in page(clerk, "premises", query="?q=nowhere")
    listed = page(clerk, "premises", query="?stage=operating&street=980101&sort=-code")
    assert listed.index("PM03") < listed.index("PM01") and "PM02" not in listed
    assert "PM02" in page(clerk, "board") and "PM02" not in page(clerk, "board", query="?street=980101")
    for name, code in (
        ("premises", "PM01"), ("leases", "LS01"), ("operators", "OP01"), ("services", "MEAL"), ("programmes", "PA"),
    ):  # fmt: skip
        xlsx = clerk.get(reverse(f"registers:{name}") + "?format=xlsx")
        assert b"".join(xlsx.streaming_content).startswith(b"PK")
        csv = b"".join(clerk.get(reverse(f"registers:{name}") + "?format=csv").streaming_content).decode()
        assert code in csv
        assert "Nothing fits" in page(clerk, name, query="?q=nothing-like-it")


NEW_LEASE = {
    "premises": "PM03",
    "operator": "OP01",
    "code": "LS09",
    "starts_on": "2026-12-15",
    "ends_on": "2027-03-31",
    "monthly_rent": "310",
    "rent_free_until": "2026-12-31",
    "offset_rate": "0.8",
    "offset_cap": "0.5",
    "carry_months": "1",
    "basis": "",
    "decision_no": "",
}


def test_a_lease_is_looked_at_month_by_month_before_it_is_entered(story_db):
    clerk = client("clerk")
    wrong = send(clerk, "new_lease", **NEW_LEASE | {"offset_cap": "2", "ends_on": "2026-01-01", "do": "see"})
    assert wrong.status_code == 422 and 'value="310"' in wrong.content.decode()
    overlap = send(clerk, "new_lease", **NEW_LEASE | {"premises": "PM01", "do": "see"})
    assert overlap.status_code == 422 and "LS01" in overlap.content.decode()
    unseen = send(clerk, "new_lease", **NEW_LEASE | {"do": "sure"})  # nobody looked at the schedule
    assert unseen.status_code == 200 and not Lease.objects.filter(code="LS09").exists()
    shown = unseen.content.decode()
    assert "Rent schedule" in shown and "310.00" in shown and "155.00" in shown and "free of rent" in shown
    assert not Record.objects.filter(subject="LS09").exists()
    typed = fields(shown)
    assert send(clerk, "new_lease", **typed | {"monthly_rent": "999", "do": "sure"}).status_code == 200
    assert not Lease.objects.filter(code="LS09").exists()  # what counts is what was shown
    assert send(clerk, "new_lease", **typed | {"do": "sure"}).status_code == 302
    made = Lease.objects.get(code="LS09")
    assert made.terms.get().monthly_rent == 310 and made.operator.code == "OP01"
    assert "no certificate is issued" in page(clerk, "lease", "LS09")
    decide = fields(page(clerk, "lease", "LS09")) | {"basis": "relief", "decision_no": "湖府 9"}
    assert send(clerk, "lease", "LS09", **decide).status_code == 302
    made.refresh_from_db()
    assert made.decision_no == "湖府 9" and "no certificate is issued" not in page(clerk, "lease", "LS09")


def test_new_terms_begin_on_the_first_of_an_open_month(story_db):
    lease = Lease.objects.get(code="LS01")
    row = {name: row_of("leases", lease)[name] for name in ("monthly_rent", "rent_free_until", "offset_rate", "offset_cap", "carry_months")}  # fmt: skip
    at = {"by": "clerk", "at": AT}

    def refused(**typed: str) -> str:
        try:
            set_terms(lease=lease, row=row | typed, seen=digest(row_of("leases", lease)), **at)
        except CannotChange as refusal:
            return refusal.code
        return ""

    assert refused(starts_on="2026-04-02") == "not_first"
    assert refused(starts_on="2026-02-01") == "locked"
    assert refused(starts_on="2025-06-01") == "outside" == refused(starts_on="2028-01-01")
    before = Statement.objects.get(lease=lease, month=MARCH)
    clerk = client("clerk")
    shown = fields(page(clerk, "new_terms", "LS01")) | {"starts_on": "2026-03-01", "monthly_rent": "240"}
    seen = send(clerk, "new_terms", "LS01", **shown | {"do": "see"})
    assert "240.00" in seen.content.decode() and LeaseTerms.objects.filter(lease=lease).count() == 1
    sure = fields(seen.content.decode()) | {"do": "sure"}
    assert send(clerk, "new_terms", "LS01", **sure).status_code == 302
    twice = send(client("clerk"), "new_terms", "LS01", **sure)  # the same page sent again
    assert twice.status_code == 422 and "meanwhile" in twice.content.decode()
    assert [str(one.monthly_rent) for one in lease.terms.order_by("starts_on")] == ["120.00", "240.00"]
    (after,) = (one for one in close_month(month=MARCH, by="clerk", at=AT) if one.lease_id == lease.pk)
    assert (before.charge, after.charge) == (120, 240)
    assert Statement.objects.get(lease=lease, month=date(2026, 2, 1)).charge == 120  # what was stays
    noted = Record.objects.filter(subject="LS01", action="change_leases").latest("id")
    assert noted.detail["monthly_rent"] == ["120.00", "240.00"]

    for which, name in (("confirm", "manager-op01"), ("review", "officer"), ("approve", "approver")):
        story.step("LS01", MARCH, which, name, at="2026-04-02 10:00")
    assert refused(starts_on="2026-03-01", monthly_rent="1") == "approved"


def test_what_elders_hold_is_honoured_when_an_operator_changes(story_db):
    """PA's March vouchers of LS01 are good until 31 March, and only there: nobody ends the lease under them."""
    clerk, lease = client("clerk"), Lease.objects.get(code="LS01")
    held = Voucher.objects.filter(programme__code="PA", valid_until=date(2026, 3, 31)).exclude(remaining=0)
    assert held.exists()
    (left,) = outstanding(lease, after=date(2026, 3, 25))
    assert left.programme == "PA" and left.value == sum(one.remaining + one.held for one in held)
    typed = fields(page(clerk, "change_operator", "LS01")) | {
        "last_day": "2026-03-25", "operator": "OP02", "code": "LS11", "ends_on": "2028-12-31",
    }  # fmt: skip
    early = send(clerk, "change_operator", "LS01", **typed | {"do": "see"})
    assert (
        early.status_code == 422 and "2026-03-31" in early.content.decode() and "PA" in early.content.decode()
    )
    assert not Lease.objects.filter(code="LS11").exists()

    seen = send(clerk, "change_operator", "LS01", **typed | {"last_day": "2026-05-15", "do": "see"})
    assert seen.status_code == 200 and not Lease.objects.filter(code="LS11").exists()
    assert Lease.objects.get(code="LS01").ends_on == date(2027, 6, 30)  # a look changes nothing
    sure = fields(seen.content.decode()) | {"do": "sure"}
    assert send(clerk, "change_operator", "LS01", **sure).status_code == 302
    old, new = Lease.objects.get(code="LS01"), Lease.objects.get(code="LS11")
    assert (old.ends_on, new.starts_on) == (date(2026, 5, 15), date(2026, 5, 16))
    assert new.operator.code == "OP02" and new.premises == old.premises
    assert Programme.objects.get(code="PA").ends_on == date(2026, 5, 15)
    issue(on=date(2026, 5, 1), by="clerk", at=moment("2026-05-01"))
    last = Voucher.objects.filter(programme__code="PA").order_by("-valid_until").first()
    assert last.valid_until == date(2026, 5, 15)  # what is issued from now on ends with the lease
    story.redeem("new-meal", "LI", "MEAL", "PM01", "2026-05-15 11:30")  # the last day counts
    assert send(clerk, "change_operator", "LS01", **sure).status_code == 422  # twice


def test_two_ends_of_a_lease_at_once_are_one(story_db):
    lease = Lease.objects.get(code="LS02")
    seen = digest(row_of("leases", lease))
    calls = [
        lambda day=day: end_lease(lease=lease, ends_on=day, seen=seen, by="clerk", at=AT)
        for day in (date(2026, 12, 31), date(2027, 1, 31))
    ]
    answers = at_once(calls)
    assert sum(isinstance(one, Changed) for one in answers) == 1, answers


def test_checks_and_suspensions_of_an_operator_are_dated(story_db):
    clerk = client("clerk")
    answer = send(clerk, "operator", "OP01", do="check", **_op("safety_checked_on", "2025-11-01"))
    assert answer.status_code == 422 and "adds nothing" in answer.content.decode()
    assert (
        send(clerk, "operator", "OP01", do="check", **_op("safety_checked_on", "2026-03-01")).status_code
        == 302
    )
    assert (
        send(clerk, "operator", "OP01", do="suspend", **_op("suspended_on", "2026-03-10")).status_code == 302
    )
    assert "still suspended" in page(clerk, "operator", "OP01")
    back = {"do": "reinstate", "reinstated_on": "2026-03-10", "why": "整改完成"}
    assert send(clerk, "operator", "OP01", **back).status_code == 422
    assert send(clerk, "operator", "OP01", **back | {"reinstated_on": "2026-03-15"}).status_code == 302
    assert (
        send(clerk, "operator", "OP01", **back | {"reinstated_on": "2026-03-16"}).status_code == 422
    )  # twice
    found = Operator.objects.get(code="OP01")
    assert found.suspensions.get().reinstated_on == date(2026, 3, 15) and found.safety_checks.count() == 2
    typed = fields(page(clerk, "edit_operator", "OP01")) | {"stars": "4", "phone": "0731-1234567"}
    assert send(clerk, "edit_operator", "OP01", **typed).status_code == 302
    noted = Record.objects.filter(action="change_operators", subject="OP01").latest("id")
    assert noted.detail == {"stars": ["", "4"], "phone": ["…", "…"]}


def _op(name: str, day: str) -> dict[str, str]:
    return {name: day, "seen": digest(row_of("operators", Operator.objects.get(code="OP01")))}


def test_a_new_price_ends_the_old_one_the_day_before(story_db):
    clerk = client("clerk")
    new = {"do": "price", "valid_from": "2026-03-05", "min_age": "60", "list_price": "22", "government": "4"}
    used = send(clerk, "service", "MEAL", **new)
    assert (
        used.status_code == 422 and "2026-03-12" in used.content.decode()
    )  # meals were redeemed at it since
    assert Price.objects.filter(service__code="MEAL").count() == 1
    assert (
        send(clerk, "service", "MEAL", **new | {"list_price": "3", "valid_from": "2026-04-01"}).status_code
        == 422
    )
    assert send(clerk, "service", "MEAL", **new | {"valid_from": "2026-04-01"}).status_code == 302
    old, now = Price.objects.filter(service__code="MEAL").order_by("valid_from")
    assert old.valid_until == date(2026, 3, 31) and (now.list_price, now.valid_until) == (22, None)
    assert send(clerk, "service", "CARE", do="offer", premises="PM03").status_code == 302
    assert send(clerk, "service", "CARE", do="offer", premises="PM99").status_code == 422
    typed = fields(page(clerk, "edit_service", "MEAL")) | {"daily_limit": "9"}
    kept = send(clerk, "edit_service", "MEAL", **typed)
    assert kept.status_code == 422 and "in use" in kept.content.decode()


DESIGN = {
    "code": "PN",
    "name": "荷花餐券",
    "settlement": "offset",
    "lease": "LS01",
    "scope": "premises",
    "categories": "canteen",
    "face_value": "10",
    "per_elder": "5",
    "divisible": "yes",
    "cadence": "monthly",
    "starts_on": "2027-01-01",
    "ends_on": "2027-06-30",
    "max_share": "1",
    "do": "see",
}


def test_a_design_shows_what_it_would_do_and_changes_nothing(story_db, monkeypatch):
    clerk = client("clerk")
    wrong = send(clerk, "new_programme", **DESIGN | {"lease": "", "face_value": "0", "ends_on": "2026-01-01"})
    assert wrong.status_code == 422 and "荷花餐券" in wrong.content.decode()
    records, vouchers = Record.objects.count(), Voucher.objects.count()
    seen = send(clerk, "new_programme", **DESIGN | {"divisions": ["980101"]}).content.decode()
    assert "Who would get it" in seen and "东湖街道" in seen and "西湖街道</th>" not in seen
    assert not Programme.objects.filter(code="PN").exists()
    assert (Record.objects.count(), Voucher.objects.count()) == (records, vouchers)
    sure = fields(seen) | {"categories": "canteen", "divisions": "980101", "do": "sure"}
    assert (
        send(clerk, "new_programme", **sure | {"face_value": "11"}).status_code == 200
    )  # not what was shown
    assert send(clerk, "new_programme", **sure).status_code == 302
    made = Programme.objects.get(code="PN")
    assert made.face_value == 10 and [one.code for one in made.divisions.all()] == ["980101"]
    assert "2027-01-01" in page(clerk, "programme", "PN")
    assert send(clerk, "new_programme", **sure).status_code == 422  # twice
    like = fields(page(clerk, "new_programme", query="?like=PA"))
    assert like["lease"] == "LS01" and like["code"] == ""
    issued = fields(page(clerk, "edit_programme", "PA"))
    answer = send(
        clerk, "edit_programme", "PA", **issued | {"categories": "canteen", "face_value": "12", "do": "see"}
    )
    assert answer.status_code == 422 and "in use" in answer.content.decode()
    moved = issued | {"categories": "canteen", "ends_on": "2026-11-30", "do": "see"}
    moved = fields(send(clerk, "edit_programme", "PA", **moved).content.decode())
    assert (
        send(clerk, "edit_programme", "PA", **moved | {"categories": "canteen", "do": "sure"}).status_code
        == 302
    )
    assert Programme.objects.get(code="PA").ends_on == date(2026, 11, 30)


def test_the_quarter_played_again_under_its_own_terms_pays_what_it_paid(story_db):
    """PA alone pays meals at PM01: played again, its terms pay to the fen what they paid, but for what was
    reversed; half the face value pays less, and the offset follows by the statement's own reckoning."""
    months = [date(2026, 1, 1), date(2026, 2, 1), MARCH]
    programme = Programme.objects.get(code="PA")
    again = design.replay(programme, codes=[], months=months)
    rows = Redemption.objects.filter(lease__code="LS01", service__code="MEAL", reversed_on=None)
    paid = {month: Decimal(0) for month in months}
    for row in rows:
        own = row.self_pay if row.hold_id else 0  # an order pays at most what it set aside
        paid[row.service_on.replace(day=1)] += row.vouchers + own
    assert [month.redeemed for month in again.months] == [paid[month] for month in months]
    assert again.redemptions == rows.count() > 3 and again.one_in == 1
    february = again.months[1]
    assert february.would and february.would.charge == 120 and february.would.cap == 60
    assert february.would.applied == min(again.months[0].would.carry_out + february.redeemed, Decimal(60))
    programme.per_elder = 1  # not stored: one voucher of ten a month
    less = design.replay(programme, codes=[], months=months)
    assert Decimal(0) < less.redeemed < again.redeemed
    every_second = design.replay(programme, codes=[], months=months, played=2)
    assert every_second.one_in > 1
    ahead = design.reach(programme, codes=[], today=date(2026, 3, 20))
    assert ahead.on == date(2026, 4, 1) and ahead.periods == 12
    assert ahead.elders == sum(count for _street, count in ahead.streets) == 5  # of seven, two have died
    assert ahead.value == 5 * 10


def test_deaths_and_moves_of_elders_are_entered_by_hand(story_db):
    clerk = client("clerk")
    learn_names(["李桂兰"])
    shown = clerk.post(reverse("registers:elders"), {"q": "lgl"}).content.decode()
    assert "LI" in shown and "李桂兰" not in shown and "ZHANG" not in shown  # found by pinyin, shown masked
    noted = Record.objects.get(action="find_elder")  # who was shown, not what was typed
    assert noted.detail == {"found": ["LI"]} and noted.by == "clerk"
    assert "ZHANG" in page(clerk, "elders", query="?q=lgl")  # an address that somebody kept lists all
    assert client("officer-west").get(reverse("registers:elders")).status_code == 403
    stale = {"do": "move", "division": "98010201", "seen": "98010201"}
    assert send(clerk, "elder", "LI", **stale).status_code == 422
    assert send(clerk, "elder", "LI", **stale | {"seen": "98010101"}).status_code == 302
    assert send(clerk, "elder", "LI", **stale).status_code == 422  # twice: there already
    assert elder_named("LI").division.code == "98010201"
    for day, told in (
        ("2099-01-01", "cannot lie ahead"),
        ("1940-01-01", "before the birth"),
        ("", "Name a day"),
    ):
        answer = send(clerk, "elder", "LI", do="death", died_on=day)
        assert answer.status_code == 422 and told in answer.content.decode(), told
    assert send(clerk, "elder", "LI", do="death", died_on="2026-03-15").status_code == 302
    assert not Voucher.objects.filter(elder__code="LI", remaining__gt=0).exists()
    assert send(clerk, "elder", "LI", do="death", died_on="2026-03-16").status_code == 422
    assert send(clerk, "elder", "LI", do="correct", why="同名误登").status_code == 302
    assert Voucher.objects.filter(elder__code="LI", remaining__gt=0).exists()
    assert "同名误登" in page(clerk, "elder", "LI")
    assert not any(one.violations for one in prove())


def test_of_two_records_of_one_person_one_counts_and_no_fen_is_lost(story_db):
    clerk = client("clerk")
    zhang, li = elder_named("ZHANG"), elder_named("LI")
    before = Voucher.objects.aggregate(sum=Sum("remaining"))["sum"]
    pair = {"do": "double", "same_as": "li", "same_why": "身份证号录错"}
    assert send(clerk, "elder", "ZHANG", **pair | {"same_as": "ZHANG"}).status_code == 422
    assert send(clerk, "elder", "ZHANG", **pair | {"same_as": "NOBODY"}).status_code == 422
    answers = at_once(
        [
            lambda: link_double(double=zhang, counts=li, reason="一人", by="clerk", at=AT),
            lambda: link_double(double=li, counts=zhang, reason="一人", by="clerk", at=AT),
        ]
    )
    refused = [one for one in answers if isinstance(one, CannotChangeElder)]
    assert len(refused) == 1, answers  # crosswise at once: one of them
    double, counts = (zhang, li) if elder_named("ZHANG").same_as else (li, zhang)
    assert Voucher.objects.aggregate(sum=Sum("remaining"))["sum"] == before
    story.redeem("double-meal", double.code, "MEAL", "PM01", "2026-03-21 11:30")  # what is left can be spent
    issue(on=date(2026, 4, 1), by="clerk", at=moment("2026-03-30"))
    assert not Voucher.objects.filter(elder=double, valid_from=date(2026, 4, 1)).exists()
    assert Voucher.objects.filter(elder=counts, valid_from=date(2026, 4, 1)).exists()
    assert "double" in page(clerk, "elder", double.code)
    learn_death(elder=counts, died_on=date(2026, 4, 2), by="clerk", at=moment("2026-04-05"))
    assert elder_named(double.code).died_on == date(2026, 4, 2)  # one person, one death
    correct_death(elder=elder_named(double.code), reason="误报", by="clerk", at=moment("2026-04-06"))
    assert elder_named(counts.code).died_on is None
    assert send(clerk, "elder", double.code, do="part", part_why="确系两人").status_code == 302
    assert send(clerk, "elder", double.code, do="part", part_why="确系两人").status_code == 422
    assert not any(one.violations for one in prove())


def test_a_file_of_elders_is_told_line_by_line_before_it_is_written(story_db):
    header = "code,name,id_number,division,phone,ability_level,categories,died_on\n"
    li = elder_named("LI")
    rows = [
        f"LI,李桂兰,{li.id_number()},98010201,{li.phone()},2,,",
        f"NEW1,新来的,{story.resident_id(date(1950, 2, 2), 900)},98010101,,,,",
    ]
    job = checked(upload("city", "elders.csv", (header + "\n".join(rows) + "\n").encode(), field="files"))
    assert job.state == Job.State.CHECKED
    told = list(job.lines.order_by("line").values_list("line", "about", "word"))
    assert told == [(2, "LI division ability_level", "changed"), (3, "NEW1", "new")]
    assert "NEW1" in client("clerk").get(reverse("job", args=[job.pk])).content.decode()
    bad = checked(
        upload("city", "elders.csv", (header + "LI,李桂兰,1,98010201,,9,,\n").encode(), field="files")
    )
    assert {(one["line"], one["column"]) for one in bad.result["problems"]} == {
        (2, "id_number"),
        (2, "ability_level"),
    }


def propose(*, username, id_number=None, **rest):
    """A proposal for the person of this name, by an ID of the name's own unless another is given."""
    return grants.propose(username=username, id_number=id_number or id_of(username), **rest)


def id_of(name: str) -> str:
    return resident_id(born_on=date(1980, 1, 1), number=crc32(name.encode()) % 1000)


def test_a_role_is_granted_by_two_administrators_and_ended_by_one(story_db):
    story.user("administrator-2", "administrator")
    story.user("administrator-3", "administrator")
    first, second = client("administrator"), client("administrator-2")
    third = client("administrator-3")
    for who in ("clerk", "approver", "officer"):
        assert client(who).get(reverse("registers:users")).status_code == 403
    auditor = client("auditor")
    assert auditor.get(reverse("registers:users")).status_code == 200
    assert auditor.post(reverse("registers:users"), {"grant": "1", "do": "confirm"}).status_code == 403

    typed = {"username": "new-approver", "role": "bureau_approver", "operator": "", "division": ""}
    assert "resident ID" in send(first, "propose", **typed).content.decode()  # whose account is it?
    bad = send(first, "propose", **typed | {"person": "110101198001010000"}).content.decode()
    assert "This is not a resident ID" in bad
    typed |= {"person": id_of("new-approver").lower()}
    wrong = send(first, "propose", **typed | {"operator": "OP01"})
    assert wrong.status_code == 422 and "new-approver" in wrong.content.decode()
    assert send(first, "propose", **typed).status_code == 302
    assert (
        send(second, "propose", **typed | {"username": "ＮＥＷ-approver"}).status_code == 422
    )  # waits already
    grant = Grant.objects.get()
    assert not User.objects.filter(username="new-approver").exists()
    own = send(first, "users", grant=str(grant.pk), do="confirm")
    assert own.status_code == 409 and "Another administrator" in own.content.decode()
    answers = at_once(
        [
            lambda name=name: confirm(grant=grant, by=story.user_named(name), at=AT)
            for name in ("administrator-2", "administrator-3")
        ]
    )
    assert sum(isinstance(one, CannotGrant) for one in answers) == 1
    made = User.objects.get(username="new-approver")
    assert made.role == "bureau_approver" and not made.has_usable_password()

    def half(answer) -> str:
        return re.search(r'class="digits num">([^<]+)<', answer.content.decode())[1]

    # Nobody but the invited person has the whole code: two administrators have a half each.
    started = first.post(reverse("registers:user", args=[made.pk]), {"do": "invite"})
    asked = {"do": "half", "user": str(made.pk)}
    assert "Show the second half" not in page(first, "users")
    mine = send(first, "users", **asked)
    assert mine.status_code == 409 and "another administrator" in mine.content.decode()
    assert client("auditor").post(reverse("registers:users"), asked).status_code == 403
    assert "Show the second half" in page(second, "users")
    given = at_once(
        [lambda: half(send(second, "users", **asked)), lambda: half(send(third, "users", **asked))]
    )
    (ending,) = (one for one in given if isinstance(one, str))
    assert send(second, "users", **asked).status_code == 409  # once
    code = half(started) + ending
    for part in (half(started), ending, ending + half(started)):
        with pytest.raises(CannotGrant):
            accept(secret=part, password="a stone in the river", at=AT)
    anybody = Client(headers={"accept-language": "en"})
    own_words = {"code": code.lower(), "password": "a stone in the river", "again": "a stone in the river"}
    for typed_, told in (
        ({"again": "another"}, "differ"), ({"password": "short", "again": "short"}, "too short"),
        ({"code": "AAAA"}, "used or is too old"),
    ):  # fmt: skip
        assert told in anybody.post(reverse("invitation"), own_words | typed_).content.decode()
    assert anybody.post(reverse("invitation"), own_words).status_code == 302
    assert anybody.post(reverse("invitation"), own_words).status_code == 422  # once
    assert User.objects.get(pk=made.pk).check_password("a stone in the river")

    there = client("new-approver")
    assert there.get(reverse("bureau:months")).status_code == 200
    end = {"do": "end", "why": "调离本单位"}
    assert send(first, "user", str(made.pk), **end | {"why": ""}).status_code == 422
    assert send(first, "user", str(made.pk), **end).status_code == 302
    assert there.get(reverse("bureau:months")).status_code == 302  # at once
    assert send(second, "user", str(made.pk), **end).status_code == 409
    actions = set(Record.objects.filter(subject=f"user:{made.pk}").values_list("action", flat=True))
    assert actions >= {
        "create_user",
        "grant_role",
        "invite_again",
        "give_second_half",
        "accept_invitation",
        "end_account",
    }
    opened = propose(username="new-approver", role="auditor", by=story.user_named("administrator"), at=AT)
    again, start = confirm(grant=opened, by=story.user_named("administrator-2"), at=AT)
    assert again.is_active and again.role == "auditor" and not again.check_password("a stone in the river")
    rest = second_half(user=again, by=story.user_named("administrator"), at=AT)
    assert accept(secret=f"{start} {rest}", password="another stone in it", at=AT) == again


def test_a_person_has_one_account_in_use_whatever_its_name(story_db):
    """Found by a keyed digest of the resident ID; the number itself stands nowhere."""
    story.user("administrator-2", "administrator")
    one, two = story.user_named("administrator"), story.user_named("administrator-2")
    number = id_of("tang")

    def both(username, role) -> str:
        try:
            confirm(
                grant=propose(username=username, id_number=number, role=role, by=one, at=AT), by=two, at=AT
            )
        except CannotGrant as refusal:
            return refusal.code
        return ""

    assert both("tang", "bureau_clerk") == ""
    assert both("tang-2", "bureau_approver") == "two_accounts"
    assert both("tang", "bureau_approver") == ""  # another role for the same account
    typed = {"username": "tang-3", "role": "auditor", "operator": "", "division": "", "person": number}
    shown_ = send(client("administrator"), "propose", **typed)
    assert shown_.status_code == 422 and "has an account already: tang." in shown_.content.decode()
    assert (
        refused_code(propose, username="tang", id_number=id_of("li"), role="auditor", by=one)
        == "other_person"
    )
    early = propose(username="early", id_number=id_of("li"), role="auditor", by=one, at=AT)
    late = propose(username="late", id_number=id_of("li"), role="bureau_clerk", by=one, at=AT)
    confirm(grant=early, by=two, at=AT)
    assert refused_code(confirm, grant=late, by=two) == "two_accounts"  # both waited
    end_account(user=User.objects.get(username="tang"), reason="调离本单位", by=two, at=AT)
    assert both("tang-2", "bureau_clerk") == ""  # control: the other is ended
    assert both("tang", "auditor") == "two_accounts"
    with pytest.raises(IntegrityError, match="one_account_of_a_person"):
        User.objects.filter(username="tang").update(is_active=True)
    said = str([*Record.objects.values(), *Grant.objects.values(), *User.objects.values()])
    assert number not in said and number[:17] not in said


def refused_code(do, **what) -> str:
    with pytest.raises(CannotGrant) as refusal:
        do(**what, at=AT)
    return refusal.value.code


def test_two_administrators_always_stay_and_nobody_changes_themselves(story_db):
    story.user("administrator-2", "administrator")
    one, two = story.user_named("administrator"), story.user_named("administrator-2")

    def refused(do, **kind) -> str:
        try:
            do(at=AT, **kind)
        except CannotGrant as refusal:
            return refusal.code
        return ""

    assert refused(end_account, user=two, reason="走了", by=one) == "last_administrators"
    assert refused(propose, username="administrator-2", role="auditor", by=one) == "last_administrators"
    assert refused(propose, username="administrator", role="auditor", by=one) == "own"
    assert (
        refused(propose, username="clerk", role="auditor", by=story.user_named("clerk"))
        == "not_administrator"
    )
    three = story.user("administrator-3", "administrator")
    calls = [
        lambda by=by, user=user: end_account(user=user, reason="走了", by=by, at=AT)
        for by, user in ((one, two), (two, three), (three, one))
    ]
    at_once(calls)
    assert User.objects.filter(role="administrator", is_active=True).count() == 2
    grant = propose(
        username="clerk",
        role="auditor",
        by=User.objects.filter(role="administrator", is_active=True)[0],
        at=AT,
    )
    other = User.objects.filter(role="administrator", is_active=True)[1]
    before = client("clerk")
    assert before.get(reverse("registers:new_premises")).status_code == 200
    User.objects.filter(username="clerk").update(division=Division.objects.get(code="980101"))
    assert refused(confirm, grant=grant, by=other) == "changed"  # what was proposed on is no more
    User.objects.filter(username="clerk").update(division=None)
    confirm(grant=grant, by=other, at=AT)
    assert before.get(reverse("registers:new_premises")).status_code == 302  # signed out with the old role


def test_the_database_itself_refuses_a_grant_by_one_person(story_db):
    one = story.user_named("administrator")
    grant = propose(username="somebody", role="auditor", by=one, at=AT)
    with pytest.raises(IntegrityError, match="grant_by_two_people"):
        Grant.objects.filter(pk=grant.pk).update(state="confirmed", decided_by=one, decided_at=AT)


def test_a_security_administrator_confirms_what_an_administrator_proposes(story_db):
    """System, security and audit are three roles; while nobody has the second, two administrators do it."""
    story.user("administrator-2", "administrator")
    one, two = story.user_named("administrator"), story.user_named("administrator-2")

    def refused(do, **what) -> str:
        with pytest.raises(CannotGrant) as refusal:
            do(**what, at=AT)
        return refusal.value.code

    guard, _half = confirm(
        grant=propose(username="guard", role="security_administrator", by=one, at=AT), by=two, at=AT
    )
    grant = propose(username="new-auditor", role="auditor", by=one, at=AT)
    assert refused(confirm, grant=grant, by=two) == "not_security"
    assert refused(decline, grant=grant, by=two) == "not_security"
    assert refused(propose, username="friend", role="bureau_clerk", by=guard) == "not_administrator"
    assert refused(end_account, user=guard, reason="调离", by=one) == "last_security"
    assert refused(propose, username="guard", role="auditor", by=one) == "last_security"
    page_ = client("guard").get(reverse("registers:users"))
    assert page_.status_code == 200 and 'value="confirm"' in page_.content.decode()
    assert 'value="confirm"' not in page(client("administrator-2"), "users")
    assert client("guard").get(reverse("registers:propose")).status_code == 403
    made, _half = confirm(grant=grant, by=guard, at=AT)
    assert made.role == "auditor" and second_half(user=made, by=two, at=AT)
    for name in ("bureau:overview", "bureau:audit", "statements"):
        assert client("guard").get(reverse(name)).status_code == 403
    end_account(user=made, reason="调离本单位", by=guard, at=AT)
    spare = propose(username="guard-2", role="security_administrator", by=one, at=AT)
    confirm(grant=spare, by=guard, at=AT)
    end_account(user=guard, reason="调离本单位", by=one, at=AT)
