"""Papers: once each, frozen, as PDF with the same figures, and genuine for whoever has them."""

import io
import re
from decimal import Decimal
from typing import Any

import pypdf
import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from ledger.audit.models import Record
from ledger.seals.operations import publish_head, seal_entries
from marketplace.web import sheets
from marketplace.web.exports import csv_file
from marketplace.web.listed import listed
from marketplace.web.papers.render import pdf
from tests import databases, story
from tests.handed_out import nobody_in, rows_of_csv, rows_of_xlsx, words_of
from tests.story import FEBRUARY, JANUARY, MARCH
from vouchers.models import Paper, Statement
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
def test_the_pdf_carries_the_figures_to_the_fen(story_db, language, title):
    paper = hand_out()
    data = pdf(paper, address="https://bureau.example/verify/x/", language=language)
    assert data == pdf(paper, address="https://bureau.example/verify/x/", language=language)  # the same bytes
    text = words_of(data)
    assert title in text and paper.number in text and "bureau.example" in text
    for name in ("charge", "credit", "applied", "cash_due"):
        assert re.search(rf"{float(paper.content['figures'][name]):,.2f}\b", text), name
    assert not re.search("李桂兰|张德福|clerk|approver", text)


def figures_of_pdf(data: bytes) -> dict[str, Decimal]:
    """Each figure of a statement's PDF, read from the one line that bears its name."""
    found, lines = {}, words_of(data).splitlines()
    for name in Statement.FIGURES:
        heading = re.escape(str(sheets.HEADINGS[name]))
        [amount] = [
            m[1] for line in lines if (m := re.fullmatch(rf"\s*{heading}\s+(−?[\d,]+\.\d\d)\s*", line))
        ]
        found[name] = Decimal(amount.replace(",", "").replace("−", "-"))
    return found


def figures_of(row: dict[str, Any]) -> dict[str, Decimal]:
    """Each figure of a statement's row in a file."""
    return {
        name: Decimal(str(row[str(sheets.HEADINGS[name])])).quantize(Decimal("0.01"))
        for name in Statement.FIGURES
    }


def test_a_statement_says_the_same_on_its_page_as_pdf_as_workbook_and_as_csv(story_db):
    """To the fen, all its figures; and nobody's name in any of them."""
    statement = story.statement("LS01", JANUARY)
    assert statement.applied > 0 and statement.carry_out > 0
    truth = {name: getattr(statement, name) for name in Statement.FIGURES}
    page = reverse("statement", args=["LS01", JANUARY])
    manager = client("manager-op01")
    text = manager.get(page).content.decode()
    assert all(f"{amount:,.2f}" in text for amount in truth.values())
    assert "?format=xlsx" in text and "?format=csv" in text
    [row] = rows_of_xlsx(manager.get(f"{page}?format=xlsx"))
    assert figures_of(row) == truth and row["Lease"] == "LS01" and row["Month"] == "2026-01"
    [line] = rows_of_csv(manager.get(f"{page}?format=csv"))
    assert (
        figures_of(line) == truth and int(line["Redemptions"]) == row["Redemptions"] == statement.redemptions
    )
    paper = hand_out(kind="statement")
    data = pdf(paper, address="https://bureau.example/verify/x/", language="en")
    assert figures_of_pdf(data) == truth
    for said in (words_of(data), str(row), str(line)):
        nobody_in(said)
    assert client("manager-op02").get(f"{page}?format=xlsx").status_code == 404  # another's

    # Control: one fen more in one of them, and it is told apart.
    paper.content["figures"]["applied"] = str(statement.applied + Decimal("0.01"))
    assert figures_of_pdf(pdf(paper, address="", language="en")) != truth
    one = listed(Statement.objects.filter(pk=statement.pk)).get()
    wrong = sheets.statements([one._replace(applied=one.applied + Decimal("0.01"))])
    with translation.override("en"):
        assert [figures_of(one) for one in rows_of_csv(csv_file(wrong))] != [truth]


def test_the_head_on_a_paper_can_be_looked_up_by_who_holds_it(story_db):
    """In the PDF, on the page behind its code, on the public page: one number, one hash."""
    paper = hand_out()
    number, mark = paper.content["chain"]
    seal_entries(at=AT)
    publish_head(at=AT)
    for language in ("zh-hans", "en"):
        file = pypdf.PdfReader(io.BytesIO(pdf(paper, address="https://bureau.example/x/", language=language)))
        words = "".join(page.extract_text() for page in file.pages)
        assert f"{number}{mark}" in re.sub(r"\s", "", words), language
    verified, looked_up = reverse("verify", args=[paper.number, paper.code]), reverse("chain")
    page = client("").get(verified).content.decode()
    assert mark in page and "Still in the chain" in page and "No: call the number below" not in page
    assert f'href="{looked_up}?number={number}"' in page
    link = client("").get(looked_up, {"number": f" {number} "}).content.decode()
    assert f'<h2 id="h-link">Link {number}</h2>' in link and mark in link
    told = client("").get(looked_up, {"number": "987654"})
    assert told.status_code == 404 and "no link of this number" in told.content.decode()
    for wrong in ("", "seven", "9" * 30, "０"):
        assert client("").get(looked_up, {"number": wrong}).status_code == 422, wrong
    databases.unprotect(story_db)
    with databases.superuser(story_db) as server:
        server.execute("UPDATE ledger_link SET hash = repeat('0', 64) WHERE number = %s", [number])
    assert "No: call the number below" in client("").get(verified).content.decode()


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
