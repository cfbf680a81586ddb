"""Whoever sees what is about a person leaves a record of it, and the auditor finds it."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from ledger.audit.models import SEEN, Record
from marketplace.web.bureau import audit
from tests.web.addresses import address
from vouchers.models import CallBack


def _noted(action):
    return list(Record.objects.filter(action=action).order_by("id"))


def test_every_act_of_seeing_is_among_those_that_the_auditor_filters_by():
    written = set()
    for package in ("ledger", "providers", "vouchers", "marketplace"):
        for file in Path(settings.BASE_DIR, package).rglob("*.py"):
            written |= set(re.findall(r'action="(\w+)"', file.read_text()))
    seeing = (
        "reveal_",
        "see_",
        "read_",
        "find_",
        "export_",
        "copy_",
        "print_card",
        "open_record",
        "open_call",
    )
    assert {one for one in written if one.startswith(seeing)} <= set(SEEN)
    assert set(SEEN) <= written  # none is left over


def test_the_hotline_searches_and_looks_on_the_record(as_, city):
    agent, elder = as_("hotline"), city.redemptions[0].elder
    agent.get(reverse("hotline:search"))
    assert _noted("find_elder") == []  # nothing was asked for
    agent.post(reverse("hotline:search"), {"q": elder.code})
    [found] = _noted("find_elder")
    assert elder.code in found.detail["found"] and found.by == "hotline"
    assert elder.name not in str(found.detail)
    for _ in range(3):
        agent.get(reverse("hotline:elder", args=[elder.code]))
    assert [(one.subject, one.by) for one in _noted("see_elder")] == [(elder.code, "hotline")]
    as_("street").get(reverse("hotline:elder", args=[elder.code]))
    assert [one.by for one in _noted("see_elder")] == ["hotline", "street"]
    agent.post(reverse("hotline:number"))
    [shown] = _noted("reveal_phone")
    assert shown.detail["call"] and shown.subject == elder.code


def test_an_agent_of_one_street_finds_those_who_live_there(as_, city):
    """Control: the agent of the whole city finds both."""
    here, there = (city.redemptions[n].elder for n in (0, 1))
    assert here.division_id != there.division_id
    for division, codes in ((None, (200, 200)), (city.people["street"].division, (200, 404))):
        city.people["hotline"].division = division
        city.people["hotline"].save()
        agent = as_("hotline")
        assert (
            tuple(agent.get(reverse("hotline:elder", args=[one.code])).status_code for one in (here, there))
            == codes
        )
        found = agent.post(reverse("hotline:search"), {"q": there.code}).context["found"]
        assert [one.code for one, _name in found] == ([there.code] if division is None else [])
        calls = agent.get(reverse("bureau:calls")).context["listing"]
        asked = CallBack.objects.filter(result="")
        mine = asked if division is None else asked.filter(redemption__elder__division=here.division)
        assert calls.total == mine.count() < (asked.count() if division else 99)


def test_photos_of_a_home_are_seen_on_the_record(as_, city):
    url = address("adaptation_photo", city)
    for person in ("clerk", "clerk", "manager"):
        assert as_(person).get(url).status_code == 200
    elder = city.projects[0].elder.code
    assert [(one.by, one.subject) for one in _noted("see_photo")] == [("clerk", elder), ("manager", elder)]
    assert as_("cashier").get(url).status_code == 403
    assert len(_noted("see_photo")) == 2


def test_the_auditor_filters_what_was_seen_and_is_seen_reading(as_, city, monkeypatch):
    auditor, url = as_("auditor"), reverse("bureau:audit")
    as_("hotline").post(reverse("hotline:search"), {"q": "桂兰"})
    as_("clerk").post(reverse("reveal", args=[city.redemptions[0].number]), {"reason": "电话核对姓名"})
    everything = auditor.get(url).context["listing"].total
    seen = auditor.get(url, {"seen": "1"}).context["listing"]
    assert {one.action for one in seen.rows} <= set(SEEN)
    assert {"find_elder", "reveal_name", "read_audit"} <= {one.action for one in seen.rows}
    [about] = auditor.get(url, {"word": "核对姓名"}).context["listing"].rows
    assert about.action == "reveal_name"
    assert auditor.get(url, {"action": "reveal_name"}).context["listing"].total == 1
    assert auditor.get(url, {"by": "ＣＬＥＲＫ", "action": "reveal_name"}).context["listing"].total == 1
    assert [one.by for one in _noted("read_audit")] == ["auditor"]  # once for all of these looks
    b"".join(auditor.get(url, {"word": "核对姓名", "format": "csv"}).streaming_content)
    [taken] = _noted("export_audit")
    assert taken.detail["asked"] == ["word"] and "核对" not in str(taken.detail)
    monkeypatch.setattr(audit, "MOST", 1)
    page = auditor.get(url)
    assert (
        page.context["listing"].total == 1 < everything and "The first 1 are listed" in page.content.decode()
    )
    rows = b"".join(auditor.get(url, {"format": "csv"}).streaming_content).decode().splitlines()
    assert len(rows) > everything  # the file has all of them


@pytest.mark.parametrize("person", ["clerk", "street", "manager", "hotline", "security"])
def test_nobody_else_reads_the_audit(as_, city, person):
    assert as_(person).get(reverse("bureau:audit")).status_code == 403
    assert _noted("read_audit") == []


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "2026-02-30", "yesterday"])
def test_a_day_that_is_none_of_these_times_is_not_asked_for(as_, day):
    """The audit, an operator's work and what was served: each shows its usual days."""
    for name, page, asked in (
        ("auditor", "bureau:audit", ("from", "until")),
        ("manager", "office:work", ("day",)),
        ("manager", "office:served", ("since", "until")),
    ):
        usual = as_(name).get(reverse(page))
        odd = as_(name).get(reverse(page), dict.fromkeys(asked, day))
        assert (usual.status_code, odd.status_code) == (200, 200), page
