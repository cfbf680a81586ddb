"""The operator's pages of hours, sittings, closed days and caregivers: what is typed wrong is said at its field,
what is set holds from its day on and can be taken back, and another operator's is not there."""

from datetime import time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from providers.models import Caregiver, Closure, OpeningHours, OrderTerms, Shift, Sitting
from providers.ordering.weeks import change_to_come

HOUSE, OFFER = ["PR0000"], ["PR0000", "SV01"]


@pytest.fixture
def manager(as_):
    return as_("manager")


def in_days(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def test_opening_hours_from_a_day_on_and_taken_back(manager, city):
    page = reverse("office:place", args=HOUSE)
    house = {"act": "hours", "from_on": in_days(5), "from_0_0": "08:00", "until_0_0": "12:00"}
    wrong = manager.post(page, house | {"from_0_1": "11:30", "until_0_1": "14:00", "from_1_0": "09:00"})
    form = wrong.context["form"]
    assert set(form.errors) == {"from_0_1", "until_1_0"}
    assert 'aria-invalid="true"' in wrong.content.decode() and 'href="#id_from_0_1"' in wrong.content.decode()
    for day in ("", in_days(0), in_days(800), "someday"):
        assert "from_on" in manager.post(page, house | {"from_on": day}).context["form"].errors
    hours = OpeningHours.objects.filter(premises__code="PR0000")
    assert change_to_come(hours, timezone.localdate()).isoformat() == in_days(3), "control: nothing was set"

    done = manager.post(page, house | {"from_0_1": "13:00", "until_0_1": "17:30"}, follow=True)
    assert "The opening hours are set." in done.content.decode()
    assert change_to_come(hours, timezone.localdate()).isoformat() == in_days(5), "one change at a time"
    assert list(hours.filter(starts_on=in_days(5)).values_list("weekday", "closes_at")) == [
        (0, time(12)),
        (0, time(17, 30)),
    ]
    manager.post(page, {"act": "withdraw"})
    assert change_to_come(hours, timezone.localdate()) is None


def test_sittings_say_what_is_wrong_with_them(manager, city):
    page = reverse("office:offer", args=OFFER)
    lunch = {"act": "sittings", "from_on": in_days(1), "days_0": ["0", "1"], "from_0": "11:00", "until_0": "12:00", "places_0": "20"}  # fmt: skip
    for line, field in [
        ({"days_1": ["1"], "from_1": "11:30", "until_1": "12:30", "places_1": "5"}, "from_1"),  # overlaps
        ({"days_1": ["2"], "from_1": "12:30", "until_1": "12:00", "places_1": "5"}, "until_1"),
        ({"days_1": ["2"], "from_1": "11:30", "until_1": "12:00"}, "places_1"),
        ({"days_1": ["2"], "from_1": "11:30", "until_1": "12:00", "places_1": "0"}, "places_1"),
        ({"from_1": "11:30", "until_1": "12:00", "places_1": "5"}, "days_1"),
        ({"places_1": "5"}, "from_1"),
    ]:
        assert list(manager.post(page, lunch | line).context["form"].errors) == [field], line
    assert not Sitting.objects.filter(capacity=20).exists()
    manager.post(page, lunch)
    assert sorted(Sitting.objects.filter(capacity=20).values_list("weekday", flat=True)) == [0, 1]
    terms = {"act": "terms", "terms-where": "there", "terms-order_until_minutes": "120",
             "terms-cancel_until_minutes": "60", "terms-days_ahead": "x"}  # fmt: skip
    assert list(manager.post(page, terms).context["form"].errors) == ["days_ahead"]
    manager.post(page, terms | {"terms-days_ahead": "10"})
    set_ = OrderTerms.objects.get()
    assert (set_.order_until_minutes, set_.days_ahead, set_.manner) == (120, 10, "sitting")


def test_closed_days(manager, city):
    page = reverse("office:place", args=HOUSE)
    days = {
        "act": "close",
        "closed-starts_on": in_days(2),
        "closed-ends_on": in_days(4),
        "closed-reason": "装修",
    }
    for wrong, field in [
        ({}, "starts_on"),  # the third day is closed already
        ({"closed-starts_on": in_days(-1)}, "starts_on"),
        ({"closed-starts_on": in_days(9), "closed-ends_on": in_days(8)}, "ends_on"),
        ({"closed-starts_on": in_days(9), "closed-ends_on": in_days(9), "closed-reason": ""}, "reason"),
    ]:
        assert list(manager.post(page, days | wrong).context["form"].errors) == [field], wrong
    manager.post(page, days | {"closed-starts_on": in_days(9), "closed-ends_on": in_days(10)})
    closure = Closure.objects.get(reason="装修")
    manager.post(page, {"act": "reopen", "closure": closure.pk})
    assert not Closure.objects.filter(reason="装修").exists()


def test_somebody_new_works_and_leaves(manager, city):
    new = {
        "name": "何春生",
        "kind": "care",
        "number": "示例9",
        "valid_from": in_days(-9),
        "valid_until": in_days(-10),
    }
    assert list(manager.post(reverse("office:caregivers"), new).context["form"].errors) == ["valid_until"]
    made = manager.post(reverse("office:caregivers"), new | {"valid_until": ""}, follow=True)
    person = Caregiver.objects.get(name="何春生")
    assert person.operator == city.people["manager"].operator and "On the list." in made.content.decode()
    page = reverse("office:caregiver", args=[person.code])
    manager.post(page, {"act": "shifts", "from_on": in_days(0), "from_0_0": "08:00", "until_0_0": "12:00"})
    assert Shift.objects.get(caregiver=person).starts_on == timezone.localdate(), (
        "the first hours hold at once"
    )
    manager.post(
        page,
        {"act": "certificate", "paper-kind": "help", "paper-number": "示例8", "paper-valid_from": in_days(0)},
    )
    assert person.qualifications.count() == 2
    assert (
        "left_on"
        in manager.post(page, {"act": "leave", "leaving-left_on": in_days(-1)}).context["form"].errors
    )
    manager.post(page, {"act": "leave", "leaving-left_on": in_days(6)})
    assert Caregiver.objects.get(pk=person.pk).left_on.isoformat() == in_days(6)
    manager.post(page, {"act": "stay"})
    assert Caregiver.objects.get(pk=person.pk).left_on is None


def test_what_is_anothers_is_not_there(as_, city):
    for name, of in (("place", HOUSE), ("offer", OFFER), ("caregiver", ["CG01"])):
        page = reverse(f"office:{name}", args=of)
        assert as_("stranger").get(page).status_code == 404
        assert as_("stranger").post(page, {"act": "withdraw"}).status_code == 404
        assert as_("manager").get(page).status_code == 200  # control
    closure = Closure.objects.get()
    other = reverse("office:place", args=["PR0003"])
    assert as_("manager").post(other, {"act": "reopen", "closure": closure.pk}).status_code == 404
    assert "PR0000" not in as_("stranger").get(reverse("office:places")).content.decode()
    assert "CG01" not in as_("stranger").get(reverse("office:caregivers")).content.decode()
