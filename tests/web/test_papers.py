"""Papers: once each, frozen, as PDF with the same figures, and genuine for whoever has them."""

import re
import shutil
import subprocess

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from ledger.audit.models import Record
from marketplace.web.papers.render import pdf
from tests import story
from tests.story import FEBRUARY, JANUARY, MARCH
from vouchers.models import Paper
from vouchers.settlement.papers import CannotIssuePaper, issue_paper

AT = story.moment("2026-03-10 09:00")


def client(name: str) -> Client:
    one = Client(headers={"accept-language": "en"})
    if name:
        one.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
    return one


def hand_out(code: str = "LS01", month=JANUARY, kind: str = "certificate", by: str = "clerk") -> Paper:
    return issue_paper(statement=story.statement(code, month), kind=kind, by=story.user_named(by), at=AT)


def test_a_paper_is_handed_out_once_and_stays_as_it_is(story_db):
    first = hand_out()
    assert (first.number, len(first.code)) == ("PZ-LS01-202601", 10)
    assert hand_out(by="approver") == first and Paper.objects.count() == 1
    assert hand_out(kind="statement").number == "DZ-LS01-202601"
    assert first.content["digest"] == story.statement("LS01", JANUARY).digest
    with pytest.raises(Exception, match=r"permission denied|written once"), transaction.atomic():
        Paper.objects.update(content={})
    assert list(Record.objects.filter(subject=first.number).values_list("by", "action")) == [
        ("clerk", "issue_certificate")
    ]


def test_who_and_what_is_refused(story_db):
    for name in ("manager-op01", "officer", "auditor", "administrator"):
        with pytest.raises(CannotIssuePaper) as refusal:
            hand_out(by=name)
        assert refusal.value.code == "wrong_role"
    with pytest.raises(CannotIssuePaper) as refusal:
        hand_out(month=MARCH)  # drawn up, not approved
    assert refusal.value.code == "not_approved"
    story.Lease.objects.filter(code="LS01").update(decision_no="")
    with pytest.raises(CannotIssuePaper) as refusal:
        hand_out()
    assert refusal.value.code == "no_basis"
    assert hand_out(kind="statement")  # the statement itself needs none
    idle = next(
        (code, month)
        for code in ("LS01", "LS02", "LS03")
        for month in (JANUARY, FEBRUARY)
        if story.Statement.objects.filter(lease__code=code, month=month, applied__lte=0).exists()
    )
    story.Lease.objects.update(decision_no="湖府 1 号")
    with pytest.raises(CannotIssuePaper) as refusal:
        hand_out(*idle)
    assert refusal.value.code == "nothing_relieved"


def test_the_page_hands_out_and_everyone_verifies(story_db):
    url = reverse("papers", args=["LS01", JANUARY])
    assert client("manager-op01").post(url, {"kind": "certificate"}).status_code == 409
    assert client("clerk").post(url, {"kind": "nonsense"}).status_code == 404
    assert client("clerk").post(url, {"kind": "certificate"}).status_code == 302
    paper = Paper.objects.get()
    file = client("manager-op01").get(reverse("paper_pdf", args=[paper.number]))
    assert file.content.startswith(b"%PDF") and file["Content-Type"] == "application/pdf"
    assert client("manager-op02").get(reverse("paper_pdf", args=[paper.number])).status_code == 404
    page = client("").get(reverse("verify", args=[paper.number, paper.code.lower()]))
    text = page.content.decode()
    assert page.status_code == 200 and "This paper is genuine" in text and paper.content["digest"] in text
    assert all(value in text for value in paper.content["figures"].values())
    names = ("李桂兰", "张德福", "clerk", "officer", "approver", "manager")
    assert not [name for name in names if name in text]
    wrong = client("").get(reverse("verify", args=[paper.number, "A" * 10]))
    assert wrong.status_code == 404 and "No paper bears" in wrong.content.decode()
    typed = client("").get(reverse("verify_ask"), {"number": f" {paper.number} ", "code": paper.code.lower()})
    assert typed.status_code == 302 and typed.url.endswith(f"/{paper.code}/")
    assert client("").get(reverse("verify_ask"), {"number": "x", "code": ""}).status_code == 422


@pytest.mark.parametrize(
    ("language", "title"), [("zh-hans", "抵租凭证"), ("en", "Certificate of rent relief")]
)
def test_the_pdf_carries_the_figures_to_the_fen(story_db, tmp_path, language, title):
    paper = hand_out()
    data = pdf(paper, address="https://bureau.example/verify/x/", language=language)
    assert data == pdf(paper, address="https://bureau.example/verify/x/", language=language)  # the same bytes
    (tmp_path / "paper.pdf").write_bytes(data)
    reader = shutil.which("pdftotext")
    if reader:
        text = subprocess.run(
            [reader, "-layout", str(tmp_path / "paper.pdf"), "-"], capture_output=True, text=True, check=True
        ).stdout
        assert title in text and paper.number in text and "bureau.example" in text
        for name in ("charge", "credit", "applied", "cash_due"):
            assert re.search(rf"{float(paper.content['figures'][name]):,.2f}\b", text), name
        assert not re.search("李桂兰|张德福|clerk|approver", text)


def test_two_papers_of_one_kind_are_refused_by_the_database(story_db):
    paper = hand_out()
    with pytest.raises(IntegrityError, match="paper_once_a_kind"), transaction.atomic():
        Paper.objects.create(
            number="PZ-LS01-209901",
            code="x",
            kind="certificate",
            statement=paper.statement,
            content={},
            issued_at=AT,
            issued_by="x",
        )
