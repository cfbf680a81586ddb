"""Inspections by the people who make them: noted, added to, looked at again, opened again; nothing is lost from sight."""

import csv
import io

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from ledger.models import Record
from providers.models import Finding, Inspection, ReCheck
from tests import story

MARCH = {"month": "2026-03"}
PAGE = "/reports/inspections/"


def client(name: str) -> Client:
    one = Client(headers={"accept-language": "en"})
    one.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
    return one


def refused(answer, code: str) -> bool:
    return answer.status_code == 409 and answer.context["refusal"].code == code


def test_what_an_inspection_found_stays_until_somebody_looked_again(story_db):
    east = client("officer-east")
    told = {"do": "inspect", "lease": "LS01", "on": "2026-03-12", "area_1": "fire", "text_1": "灭火器过期"}
    assert client("auditor").post(PAGE, told).status_code == 403
    assert (
        client("officer-west").post(PAGE, {**told, "until_1": "2026-03-20"}).status_code == 422
    )  # not theirs
    assert east.post(PAGE, told).status_code == 422  # until when?
    told |= {"until_1": "2026-03-20", "note": "与站长一起查看"}
    assert east.post(PAGE, told).status_code == 302
    visit = Inspection.objects.get()
    twice = east.post(PAGE, told)
    assert refused(twice, "inspected_before")
    here = reverse("reports:inspection", args=[visit.pk])
    assert here in twice.content.decode() and visit.note == "与站长一起查看"

    # what else was found, on the same day: three findings are not the end of it
    assert client("officer-west").get(here).status_code == 404
    assert client("auditor").post(here, {}).status_code == 403
    assert refused(east.post(here, {}), "nothing_found")
    early = {"area_1": "food", "text_1": "留样不足", "until_1": "2026-03-11"}
    assert refused(east.post(here, early), "no_day")
    more = {
        f"{name}_{n}": value
        for n in (1, 2, 3)
        for name, value in (("area", "food"), ("text", "留样不足"), ("until", "2026-03-25"))
    }
    assert client("clerk").post(here, more).status_code == 302
    assert Finding.objects.count() == 4
    assert set(Finding.objects.values_list("added_by", flat=True)) == {"", "clerk"}

    # an inspection that found nothing is seen and counted too
    assert client("officer-west").post(PAGE, {"lease": "LS02", "on": "2026-03-13"}).status_code == 302
    seen = client("auditor").get(PAGE, MARCH)
    assert seen.context["missing"] == [] and "nothing found" in seen.content.decode()
    report = client("auditor").get(reverse("reports:report", args=["2026-03"])).context["report"]
    listed = client("auditor").get(PAGE, {**MARCH, "show": "month"}).context["listing"]
    assert (report.inspections, report.findings, report.findings_open) == (2, 4, 4)
    assert report.inspections == listed.total
    asked = [
        len(client("auditor").get(PAGE, {"month": month, **query}).context["rows"])
        for month, query in (
            ("2026-03", {"q": "ls02"}),
            ("2026-03", {"q": "LS02", "show": "overdue"}),
            ("2026-04", {}),  # four findings of LS01 are still open
            ("2026-04", {"show": "month"}),
            ("2026-02", {}),
        )
    ]
    assert asked == [1, 0, 1, 0, 0]
    assert "No place was inspected" in client("auditor").get(PAGE, {"month": "2026-02"}).content.decode()
    file = b"".join(client("auditor").get(PAGE, {**MARCH, "format": "csv"}).streaming_content)
    lines = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"))))
    assert [line["Lease"] for line in lines] == ["LS01"] * 4 + ["LS02"]
    assert lines[0]["Note"] == "与站长一起查看" and lines[4]["State"] == "nothing found"


def test_a_look_again_can_be_taken_back_and_each_look_stays(story_db):
    east, clerk = client("officer-east"), client("clerk")
    told = {
        "lease": "LS01",
        "on": "2026-03-12",
        "area_1": "fire",
        "text_1": "灭火器过期",
        "until_1": "2026-03-20",
    }
    assert east.post(PAGE, told).status_code == 302
    again = reverse("reports:finding", args=[Finding.objects.get().pk])
    assert client("officer-west").get(again).status_code == 404
    assert refused(east.post(again, {"do": "open", "on": "2026-03-21"}), "no_day")
    assert refused(east.post(again, {"do": "mended", "on": "2026-03-11"}), "too_early")
    later = {"do": "open", "on": "2026-03-21", "until": "2026-03-28", "note": "已下单"}
    assert east.post(again, later).status_code == 302
    assert refused(clerk.post(again, {"do": "mended", "on": "2026-03-20"}), "too_early")
    assert clerk.post(again, {"do": "mended", "on": "2026-03-27"}).status_code == 302
    assert refused(clerk.post(again, {"do": "mended", "on": "2026-03-27"}), "mended_before")
    # the auditor, who looks at nothing again, still finds each look from the list
    mended = client("auditor").get(PAGE, MARCH)
    assert again in mended.content.decode()
    assert "已下单" in client("auditor").get(again).content.decode()

    undo = {"do": "reopen", "on": "2026-03-27", "until": "2026-04-02"}
    assert client("auditor").post(again, undo).status_code == 403
    assert clerk.post(again, undo).status_code == 422  # why?
    assert clerk.post(again, {**undo, "note": "登记错了，是另一只"}).status_code == 302
    found = Finding.objects.get()
    assert (found.mended_on, found.mended_by, str(found.mend_until)) == (None, "", "2026-04-02")
    assert list(ReCheck.objects.values_list("mended", flat=True)) == [False, True, False]
    assert Record.objects.filter(action="recheck_reopened", subject="LS01", by="clerk").count() == 1
    with pytest.raises(IntegrityError, match="finding_added_by_someone"), transaction.atomic():
        Finding.objects.update(added_by="nobody")

    # addresses get old, and some are made up
    for month in ("9999-12", "0001-01", "2026-13", "x"):
        assert client("auditor").get(PAGE, {"month": month}).status_code == 200
