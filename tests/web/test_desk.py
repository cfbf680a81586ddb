"""The bureau's desk over HTTP: uploads, bank lines, the audit; who may press what, and what is said."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from ledger.audit.models import Record
from marketplace.jobs import operations as jobs
from marketplace.jobs.models import Job
from marketplace.overview.models import Snapshot
from marketplace.overview.operations import take_snapshot
from providers.models import Receipt
from tests import story
from tests.story import moment

AT = moment("2026-03-20 09:00")


def client(name: str, language: str = "en") -> Client:
    one = Client(headers={"accept-language": language})
    one.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
    return one


def upload(kind: str, name: str, data: bytes, who: str = "clerk", field: str = "file", **other: str):
    return client(who).post(
        reverse("work_kind", args=[kind]), {field: SimpleUploadedFile(name, data), **other}
    )


def checked(response) -> Job:
    """The job that this answer leads to, after its check."""
    assert response.status_code == 302, response.content.decode()
    job = Job.objects.get(pk=int(response.url.strip("/").split("/")[-1]))
    jobs.work({"job": job.pk, "stage": job.stage}, clock=lambda: AT)
    job.refresh_from_db()
    return job


HEADER = "key,happened_at,premises,service,elder,quantity,channel\n"


# Uploads (strength.md 18)


def _bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 40_000_000)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("latin.csv", HEADER.encode("utf-16")),
        ("nul.csv", (HEADER + "a\0,2026-03-02,PM01,MEAL,LI,1,qr\n").encode()),
        ("twice.csv", b"key,key,happened_at,premises,service,elder,quantity\n"),
        ("wide.csv", (HEADER + "a,2026-03-02 11:30,PM01,MEAL,LI,１,qr\n").encode()),
        ("bomb.xlsx", _bomb()),
        ("nothing.xlsx", b"PK\3\4 not a workbook"),
        ("lacks.csv", b"key,happened_at\n"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_file_gives_a_sentence_with_its_place_and_takes_nothing(story_db, name, data):
    job = checked(upload("redemptions", name, data))
    assert job.state == Job.State.REFUSED and job.result["total"] >= 1
    page = client("clerk").get(reverse("job", args=[job.pk])).content.decode()
    assert f"{name}:{job.result['problems'][0]['line']}" in page and "nothing was taken" in page
    chinese = client("clerk", "zh-hans").get(reverse("job", args=[job.pk])).content.decode()
    assert "没有录入任何内容" in chinese


def test_a_good_file_is_the_control(story_db):
    job = checked(
        upload("redemptions", "ok.csv", (HEADER + "a,2026-03-02 11:30,PM01,MEAL,LI,1,qr\n").encode())
    )
    assert job.state == Job.State.CHECKED and job.result == {"counts": {"rows": 1}}


def test_wrong_forms_keep_their_words_at_the_field(story_db):
    clerk, page = client("clerk"), reverse("work_kind", args=["city"])
    assert "Choose a file" in clerk.post(page, {}).content.decode()
    answer = upload("city", "people.csv", b"code\n", field="files")
    assert answer.status_code == 422 and "people.csv" in answer.content.decode()
    assert upload("redemptions", "empty.csv", b"").status_code == 422
    for kind, data, words in (
        ("issue", {"on": "soon"}, "Write the day"),
        ("close", {"month": "2026-13"}, "Write the month"),
        ("bank", {"layout": "nobody"}, "Choose a file"),
    ):
        answer = clerk.post(reverse("work_kind", args=[kind]), data)
        assert answer.status_code == 422 and words in answer.content.decode(), kind
    assert clerk.get(reverse("work_kind", args=["nonsense"])).status_code == 404
    assert not Job.objects.exists()


@pytest.mark.parametrize("name", ["approver", "auditor"])
def test_who_only_looks_starts_and_decides_nothing(story_db, name):
    assert client(name).post(reverse("work_kind", args=["issue"]), {"on": "2026-03-20"}).status_code == 403
    job = checked(client("clerk").post(reverse("work_kind", args=["issue"]), {"on": "2026-03-20"}))
    page = client(name).get(reverse("job", args=[job.pk]))
    assert page.status_code == 200 and 'value="go"' not in page.content.decode()
    assert client(name).post(reverse("job", args=[job.pk]), {"do": "go"}).status_code == 403
    line = Receipt.objects.get(state="proposed").bank_line_id
    assert client(name).post(reverse("bureau:receipt", args=[line]), {"do": "confirm"}).status_code == 403
    assert Receipt.objects.filter(state="proposed").exists()


def test_a_month_that_cannot_be_drawn_up_says_why(story_db):
    job = checked(client("clerk").post(reverse("work_kind", args=["close"]), {"month": "2026-01"}))
    page = client("clerk").get(reverse("job", args=[job.pk])).content.decode()
    assert job.state == Job.State.REFUSED and "This month is locked" in page
    job = checked(client("clerk").post(reverse("work_kind", args=["close"]), {"month": "2026-03"}))
    assert job.state == Job.State.DONE and job.result["counts"]["statements"] >= 2


# Bank lines


def test_a_bank_file_is_previewed_line_by_line_and_its_proposal_confirmed(story_db):
    line = story.bank_line("2026-03-12 09:00", 31, summary="LS01 三月")
    data = f"{story.ICBC}\n{line}\n".encode("gb18030")
    job = checked(upload("bank", "march.csv", data, layout="icbc"))
    assert job.state == Job.State.CHECKED and job.result["counts"]["matched"] == 1
    assert list(job.lines.values_list("about", "word")) == [("2026-03-12 31.00 LS01", "matched")]
    clerk = client("clerk")
    proposed = Receipt.objects.get(state="proposed")
    url = reverse("bureau:receipt", args=[proposed.bank_line_id])
    assert proposed.lease.code in clerk.get(url).content.decode()
    assert clerk.post(url, {"do": "confirm"}).status_code == 302
    assert clerk.post(url, {"do": "confirm"}).status_code == 409
    assert clerk.post(url, {"do": "release", "reason": ""}).status_code == 422
    assert clerk.post(url, {"do": "release", "reason": "wrong month"}).status_code == 302
    answer = clerk.post(url, {"do": "match", "lease_0": "LS99", "amount_0": "50"})
    assert answer.status_code == 422 and "no lease with this code" in answer.content.decode()
    answer = clerk.post(url, {"do": "match", "lease_0": "LS01", "amount_0": "49"})
    assert answer.status_code == 409 and "do not add up" in answer.content.decode()
    parts = {"lease_0": "ls01", "amount_0": "20", "lease_1": "LS02", "amount_1": "30"}
    assert clerk.post(url, {"do": "match", **parts}).status_code == 302
    page = client("auditor").get(url).content.decode()
    assert all(
        words in page
        for words in ("proposal confirmed", "released again", "split over leases", "wrong month")
    )


def test_bank_lines_are_found_by_payer_amount_and_lease(story_db):
    clerk, url = client("clerk"), reverse("bureau:receipts")
    for words, n in (("银杏", 1), ("7", 1), ("LS01", 1), ("7.00", 1), ("nobody", 0), ("", 4)):
        assert clerk.get(url, {"show": "all", "q": words}).context["listing"].total == n, words
    assert (
        clerk.get(url).context["listing"].total == 2
    )  # one proposed, one unknown; what went out waits elsewhere
    rows = b"".join(clerk.get(url, {"show": "all", "format": "csv"}).streaming_content).decode("utf-8-sig")
    assert len(rows.splitlines()) == 5 and "-12.00" in rows


# The audit


def test_the_audit_is_searched_by_whom_what_when_and_about_what(story_db):
    auditor, url = client("auditor"), reverse("bureau:audit")
    total = Record.objects.count()
    assert (
        auditor.get(url, {"from": "2000-01-01", "until": "2099-01-01"}).context["listing"].total == total > 20
    )
    asked = {"from": "2026-01-01", "until": "2026-12-31"}
    by_clerk = auditor.get(url, {**asked, "by": "clerk"}).context["listing"]
    assert by_clerk.total == Record.objects.filter(by="clerk").count() > 0
    about = auditor.get(url, {"subject": "LS01 2026-01"}).context["listing"]
    assert [one.action for one in about.rows][::-1][:3] == ["confirm", "review", "approve"]
    one_day = auditor.get(url, {"from": "2026-02-02", "until": "2026-02-02"}).context["listing"]
    assert one_day.total and all(f"{one.at:%Y-%m-%d}" == "2026-02-02" for one in one_day.rows)
    assert auditor.get(url, {"from": "nonsense"}).status_code == 200
    rows = b"".join(auditor.get(url, {**asked, "format": "csv"}).streaming_content).decode("utf-8-sig")
    assert len(rows.splitlines()) > 20 and "李桂兰" not in rows
    assert client("clerk").get(url).status_code == 403


# The overview


def test_the_overview_adds_up_for_the_city_and_for_one_street(story_db):
    assert take_snapshot(today=AT.date(), at=AT) and take_snapshot(today=AT.date(), at=AT) is None
    page = client("clerk").get(reverse("bureau:overview"))
    months = page.context["months"]
    assert [f"{row['month']:%Y-%m}" for row in months] == ["2026-01", "2026-02", "2026-03"]
    assert months[-1]["received"] == 40  # the one line that is matched, in March
    for row in Snapshot.objects.get().programmes:
        spent = sum(story.yuan(row[name]) for name in ("redeemed", "expired", "voided", "left"))
        assert spent == story.yuan(row["issued"]), row["code"]
    east, west = (client(name).get(reverse("bureau:overview")) for name in ("officer-east", "officer-west"))
    for n, row in enumerate(months):
        parts = [
            next((r["charge"] for r in one.context["months"] if r["month"] == row["month"]), 0)
            for one in (east, west)
        ]
        assert sum(parts) == row["charge"], n
    assert east.context["snapshot"] is None and "Vouchers of those who live here" in east.content.decode()
    assert client("manager-op01").get(reverse("bureau:overview")).status_code == 403
