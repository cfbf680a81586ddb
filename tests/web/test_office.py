"""The operator's office: every figure opens its lines, the lines add up to it, and others' are not there."""

from datetime import timedelta

import pytest
import time_machine
from django.db.models import Sum
from django.urls import reverse

from marketplace.web.provider.today import running
from providers.models import Lease, SafetyCheck, Suspension
from tests.web.builder import at
from vouchers.models import Redemption, Statement

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


def test_what_was_earned_opens_lines_that_add_up(as_, city, in_its_month):
    (row, *_rest) = running(own(city), in_its_month)
    page = as_("manager").get(reverse("office:earned", args=[row.lease.code]))
    assert page.context["total"] == row.figures.earned
    lines = [claim.amount for claim in page.context["listing"].rows]
    assert sum(lines) == row.figures.earned and lines
    sheet = b"".join(as_("manager").get(reverse("office:earned", args=[row.lease.code]), {"format": "csv"}))
    assert sheet.count(b"RD-") == len(lines)


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
    assert as_("manager").get(reverse("office:earned", args=[others.code])).status_code == 404
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


def test_a_suspension_is_told(as_, city, in_its_month):
    Suspension.objects.create(operator=city.people["manager"].operator, starts_on=city.month)
    page = as_("manager").get(reverse("office:papers"))
    assert "still in force" in page.content.decode()


def test_the_number_of_queries_is_fixed(as_, city, in_its_month, django_assert_max_num_queries):
    client = as_("manager")
    for name in ("office:today", "office:served", "office:papers"):
        with django_assert_max_num_queries(22):
            client.get(reverse(name))
