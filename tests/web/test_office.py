"""The operator's office: every figure opens its lines, the lines add up to it, and others' are not there."""

from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
import time_machine
from django.db.models import Sum
from django.urls import reverse
from openpyxl import load_workbook

from marketplace.web.exports import XLSX
from marketplace.web.provider.running import running
from providers.models import Caregiver, Lease, Qualification, SafetyCheck, Suspension
from tests.web.builder import at
from vouchers.models import Claim, Redemption, Statement

NOON = 12


@pytest.fixture
def in_its_month(city):
    """The clock stands on the 20th of the city's running month."""
    with time_machine.travel(at(city.month.replace(day=20), NOON), tick=False):
        yield city.month.replace(day=20)


def own(city):
    return Lease.objects.filter(operator=city.people["manager"].operator)


def test_the_running_month_says_what_the_statement_says(as_, city, in_its_month):
    rows = running(own(city), in_its_month)
    assert [row.lease.code for row in rows] == ["LS0000", "LS0003", "LS0006"]
    for row in rows:
        statement = Statement.objects.get(lease=row.lease, month=city.month)
        if statement.state == Statement.State.APPROVED:
            continue
        for name in ("charge", "carry_in", "earned", "credit", "available", "cap", "applied", "carry_out"):
            assert getattr(row.figures, name) == getattr(statement, name), (row.lease.code, name)


def test_every_figure_of_the_month_opens_lines_that_add_up(as_, city, in_its_month):
    """Also what comes late, as from another operator's counter, what was reversed, and what is held back."""
    manager = as_("manager")
    lease = own(city).order_by("code").first()
    elsewhere = Redemption.objects.filter(service_on__lt=city.month).exclude(lease=lease).first()
    late = Claim.objects.create(
        redemption=elsewhere, lease=lease, amount=Decimal("3.00"), service_on=elsewhere.service_on
    )
    (row, *_rest) = running(own(city), in_its_month)
    assert row.figures.late == late.amount and row.figures.reversed and row.figures.under_review

    today = manager.get(reverse("office:today")).content.decode()
    for figure in ("earned", "late", "reversed", "under_review"):
        address = reverse("office:running", args=[row.lease.code, figure])
        page = manager.get(address)
        lines = [claim.amount for claim in page.context["listing"].rows]
        told = getattr(row.figures, figure)
        assert told == (
            len(lines) if figure == "under_review" else sum(lines) == page.context["total"] and sum(lines)
        )
        assert not told or f'href="{address}"' in today, figure
        sheet = b"".join(manager.get(address, {"format": "csv"}))
        assert sheet.count(b"RD-") == len(lines)
    charge = reverse("office:running", args=[row.lease.code, "charge"])
    assert manager.get(charge).context["amount"] == row.figures.charge and f'href="{charge}"' in today
    before = reverse("lines", args=[row.lease.code, row.before, "carry_out"])
    assert manager.get(before).status_code == 200 and f'href="{before}"' in today
    assert manager.get(reverse("office:running", args=[row.lease.code, "applied"])).status_code == 404


def test_what_was_served_adds_up_and_filters(as_, city, in_its_month):
    client = as_("manager")
    page = client.get(reverse("office:served"))
    mine = Redemption.objects.filter(
        lease__in=own(city), service_on__range=(city.month, in_its_month), reversed_on=None
    )
    assert page.context["totals"]["vouchers"] == mine.aggregate(n=Sum("vouchers"))["n"]
    assert page.context["totals"]["servings"] == mine.count()
    totals = page.context["totals"]
    parts = ("government", "concession", "charity", "vouchers", "self_pay")
    assert totals["list_price"] == sum(totals[part] for part in parts)
    held = client.get(reverse("office:served"), {"state": "held"})
    assert held.context["listing"].total == 1
    before = (city.month - timedelta(days=1)).replace(day=1)
    undone = client.get(reverse("office:served"), {"state": "reversed", "since": str(before)})
    assert [row.number for row, _state, _label in undone.context["rows"]] == [city.redemptions[5].number]
    none = client.get(reverse("office:served"), {"since": "2020-01-01", "until": "2020-01-31"})
    assert none.context["listing"].total == 0
    odd = client.get(reverse("office:served"), {"since": "soon", "lease": "x" * 500})
    assert odd.status_code == 200


def test_another_operator_s_lease_is_not_there(as_, city, in_its_month):
    others = Lease.objects.exclude(operator=city.people["manager"].operator).first()
    assert as_("manager").get(reverse("office:running", args=[others.code, "earned"])).status_code == 404
    page = as_("stranger").get(reverse("office:served"))
    theirs = set(Lease.objects.filter(operator=city.people["stranger"].operator).values_list("id", flat=True))
    assert {row.lease_id for row in page.context["listing"].rows} <= theirs
    filtered = as_("manager").get(reverse("office:served"), {"lease": others.code})
    assert filtered.context["listing"].total == 0


def test_today_counts_only_what_stands(as_, city):
    last = Redemption.objects.filter(lease__in=own(city), reversed_on=None).latest("service_on")
    with time_machine.travel(at(last.service_on, NOON), tick=False):
        page = as_("manager").get(reverse("office:today"))
    of_day = Redemption.objects.filter(lease__in=own(city), service_on=last.service_on, reversed_on=None)
    assert page.context["served"]["servings"] == of_day.count() > 0
    assert page.context["served"]["vouchers"] == of_day.aggregate(n=Sum("vouchers"))["n"]


@pytest.mark.parametrize(
    ("days_ago", "tone"), [(None, "no"), (366, "no"), (365, "due"), (305, "due"), (304, "ok")]
)
def test_a_safety_check_runs_out(as_, city, in_its_month, days_ago, tone):
    operator = city.people["manager"].operator
    operator.safety_checks.all().delete()
    if days_ago is not None:
        SafetyCheck.objects.create(operator=operator, checked_on=in_its_month - timedelta(days=days_ago))
    page = as_("manager").get(reverse("office:papers"))
    check = page.context["papers"][0]
    assert check.tone == tone
    assert bool(check.next_step) == (tone != "ok")


def test_certificates_run_out_too(as_, city, in_its_month):
    """The one that counts longest decides; who has left, and what has long run out, is not asked for."""
    operator = city.people["manager"].operator
    until = {"care": 20, "help": -20, "rehabilitation": -90, "fitting": None}
    person = Caregiver.objects.create(code="CG91", operator=operator, name="何春生")
    left = Caregiver.objects.create(
        code="CG92", operator=operator, name="贺满秀", left_on=in_its_month - timedelta(days=1)
    )
    for kind, days in until.items():
        ends = None if days is None else in_its_month + timedelta(days=days)
        for one in (person, left):
            Qualification.objects.create(
                caregiver=one,
                kind=kind,
                number=f"{kind}-1",
                valid_from=city.month - timedelta(days=400),
                valid_until=ends,
            )
    page = as_("manager").get(reverse("office:papers"))
    found = {
        paper.on_file.split()[-1]: paper.tone for paper in page.context["papers"] if "何春生" in paper.name
    }
    assert found == {"care-1": "due", "help-1": "no", "fitting-1": "ok"}
    assert "贺满秀" not in page.content.decode()
    today = as_("manager").get(reverse("office:today"))
    assert reverse("office:caregiver", args=["CG91"]) in today.content.decode()
    Qualification.objects.create(
        caregiver=person,
        kind="care",
        number="care-2",
        valid_from=in_its_month,
        valid_until=in_its_month + timedelta(days=400),
    )
    page = as_("manager").get(reverse("office:papers"))
    found = {
        paper.on_file.split()[-1]: paper.tone for paper in page.context["papers"] if "何春生" in paper.name
    }
    assert found == {"care-2": "ok", "help-1": "no", "fitting-1": "ok"}


def test_everything_is_had_as_a_workbook(as_, city, in_its_month):
    """Whatever the office lists, with a line for what stands there; another operator's line is in none of them."""
    lease = city.leases[0].code
    wanted = {
        reverse(name): {}
        for name in (
            "office:today", "office:served", "office:papers", "office:work", "office:places", "office:caregivers",
            "office:terminals", "office:adaptation", "office:prices", "statements", "payments:payouts",
        )
    }  # fmt: skip
    wanted[reverse("office:prices")] = {"table": "prices"}
    wanted[reverse("office:running", args=[lease, "earned"])] = {}
    wanted[reverse("lines", args=[lease, city.month, "earned"])] = {}
    rows = {}
    for address, query in wanted.items():
        for person in ("manager", "stranger"):
            answer = as_(person).get(address, {**query, "format": "xlsx"})
            if person == "stranger" and lease in address:
                assert answer.status_code == 404
                continue
            assert answer.headers["Content-Type"] == XLSX, address
            sheet = load_workbook(BytesIO(b"".join(answer))).active
            rows[address, person] = list(sheet.iter_rows(min_row=2, values_only=True))
        if rows[address, "manager"]:  # what is empty offers no file
            assert "format=xlsx" in as_("manager").get(address, query).content.decode(), address
    assert rows[reverse("office:places"), "manager"][0][2] == "Every day 09:00–12:00"
    assert rows[reverse("office:places"), "manager"][0][-1] == "Every day 09:00–12:00 (5)"
    assert rows[reverse("office:caregivers"), "manager"][0][:2] == ("CG01", "吴小妹")
    assert not any("吴小妹" in row for row in rows[reverse("office:caregivers"), "stranger"])
    assert len(rows[reverse("office:today"), "manager"]) == 3


def test_a_suspension_is_told(as_, city, in_its_month):
    Suspension.objects.create(operator=city.people["manager"].operator, starts_on=city.month)
    page = as_("manager").get(reverse("office:papers"))
    assert "still in force" in page.content.decode()


def test_the_number_of_queries_is_fixed(as_, city, in_its_month, django_assert_max_num_queries):
    client = as_("manager")
    for name in ("office:today", "office:served", "office:papers"):
        with django_assert_max_num_queries(22):
            client.get(reverse(name))
