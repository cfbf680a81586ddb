"""The pages of payouts, payments and reports: the figures that stand elsewhere, by the people who may."""

import csv
import io
import json
import re
import shutil
import subprocess
import zipfile
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from ledger.books.manifest import public_key, wrong
from ledger.journal.queries import balances
from ledger.models import Record
from ledger.seals.operations import head
from marketplace.evidence.operations import signing_secret
from marketplace.management.base import Refused
from providers.models import Finding, Handover, Receipt
from tests import payments, story
from tests.payments import line
from tests.story import FEBRUARY, JANUARY
from vouchers.models import Elder, Payout, Statement


def client(name: str) -> Client:
    one = Client(headers={"accept-language": "en"})
    if name:
        one.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
    return one


def words_of(data: bytes, folder: Path) -> str:
    """The text of a PDF, as far as this machine can read one."""
    (folder / "one.pdf").write_bytes(data)
    reader = shutil.which("pdftotext")
    if not reader:
        return ""
    return subprocess.run(
        [reader, "-layout", str(folder / "one.pdf"), "-"], capture_output=True, text=True, check=True
    ).stdout


def nobody_in(text: str) -> None:
    for elder in Elder.objects.all():
        for secret in (elder.name, elder.id_number(), elder.phone()):
            assert not secret or secret not in text, elder.code


def body(answer) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_list_goes_through_three_hands_and_is_paid(story_db, tmp_path):
    payments.give(100)
    lists = reverse("payments:payouts")
    assert client("approver").post(lists, {"month": "2026-01"}).status_code == 403
    assert client("clerk").post(lists, {"month": "2026-13"}).status_code == 422
    assert client("clerk").post(lists, {"month": "2026-01"}).status_code == 302
    crane = Payout.objects.get(operator__code="OP01")
    page = reverse("payments:payout", args=[crane.number])
    assert client("manager-op02").get(page).status_code == 404  # another's list
    told = {"do": "payee", "holder": "松鹤养老服务有限公司", "number": "6222 0000-1111", "bank": "湖城银行"}
    assert client("clerk").post(page, {**told, "number": "x"}).status_code == 422
    assert client("clerk").post(page, told).status_code == 302
    assert client("clerk").post(lists, {"month": "2026-01"}).status_code == 302
    crane.refresh_from_db()
    assert crane.payee["number"] == "622200001111"

    seen = client("manager-op01").get(page)
    form = re.search(r'name="seen" value="(\w+)"', seen.content.decode())
    assert form and form[1] == crane.digest
    refused = client("manager-op01").post(page, {"seen": "0" * 64})
    assert refused.status_code == 409 and "Figures have changed" in refused.content.decode()
    for name in ("manager-op01", "officer-east", "approver"):
        assert client(name).post(page, {"seen": crane.digest}).status_code == 302, name
    crane.refresh_from_db()
    assert crane.state == "approved"

    rows = list(csv.reader(io.StringIO(body(client("clerk").get(f"{page}?format=csv")).decode("utf-8-sig"))))
    assert sum(Decimal(row[-1]) for row in rows[1:]) == crane.total  # the file, the list, the page: one sum
    nobody_in(str(rows))
    sheet = openpyxl.load_workbook(io.BytesIO(body(client("clerk").get(f"{page}?format=xlsx")))).active
    assert sum(Decimal(str(row[-1])) for row in sheet.iter_rows(min_row=2, values_only=True)) == crane.total
    text = words_of(
        client("manager-op01").get(reverse("payments:payout_pdf", args=[crane.number])).content, tmp_path
    )
    if text:
        assert f"{crane.to_pay:,.2f}" in text and crane.number in text and "622200001111" in text
        nobody_in(text)
    transfer = client("clerk").get(reverse("payments:transfer", args=[JANUARY]))
    [heading, row] = list(csv.reader(io.StringIO(body(transfer).decode("utf-8-sig"))))
    assert heading == ["收款户名", "收款账号", "收款开户行", "金额", "用途"]
    assert row == [
        "松鹤养老服务有限公司",
        "622200001111",
        "湖城银行",
        f"{crane.to_pay}",
        f"拨付 {crane.number}",
    ]
    assert client("clerk").get(reverse("payments:transfer", args=[FEBRUARY])).status_code == 404

    paid = line("2026-04-03 09:00", crane.to_pay, summary="代发")
    where = reverse("bureau:receipt", args=[paid.bank_line_id])
    assert crane.number in client("clerk").get(where).content.decode()
    assert client("approver").post(where, {"do": "pay", "number": crane.number}).status_code == 403
    assert client("clerk").post(where, {"do": "pay"}).status_code == 409  # nothing chosen
    assert client("clerk").post(where, {"do": "pay", "number": crane.number}).status_code == 302
    assert Payout.objects.get(pk=crane.pk).receipt == paid
    assert "Paid by" in client("manager-op01").get(page).content.decode()
    assert client("clerk").post(where, {"do": "release", "reason": "退回"}).status_code == 422
    assert client("clerk").post(where, {"do": "release", "reason": "银行退回"}).status_code == 302
    assert Payout.objects.get(pk=crane.pk).receipt is None


def test_fund_refunds_and_handed_over_rent(story_db, tmp_path):
    fund = reverse("payments:fund")
    assert "Overdrawn" in client("auditor").get(fund).content.decode()
    gift = line("2026-04-01 09:00", 100, out=False, payer="路人乙")
    where = reverse("bureau:receipt", args=[gift.bank_line_id])
    assert (
        client("clerk").post(where, {"do": "donate", "gift-donor": "", "gift-wish": "午餐"}).status_code
        == 302
    )
    page = client("auditor").get(fund).content.decode()
    assert "Left in the fund" in page and "not named" in page
    budget = {"starts_on": "2026-01-01", "ends_on": "2026-12-31", "amount": "5", "reason": "年度预算"}
    assert client("clerk").post(fund, budget).status_code == 403
    assert client("approver").post(fund, {**budget, "amount": "-1"}).status_code == 422
    assert client("approver").post(fund, {**budget, "ends_on": "2025-12-31"}).status_code == 409
    assert client("approver").post(fund, budget).status_code == 302
    assert "used up" in client("auditor").get(fund).content.decode()

    refunds = reverse("payments:refunds")
    line("2026-03-20 09:00", 70, out=False, summary="LS03 房租")
    ask = {"do": "draw", "lease": "LS03", "amount": "20", "reason": "租约终止多缴"}
    assert client("approver").post(refunds, ask).status_code == 403
    assert client("clerk").post(refunds, {**ask, "amount": "2000"}).status_code == 409
    assert client("clerk").post(refunds, {**ask, "reason": ""}).status_code == 422
    assert client("clerk").post(refunds, ask).status_code == 302
    assert client("clerk").post(refunds, {"do": "approve", "number": "TK-LS03-001"}).status_code == 409
    assert client("approver").post(refunds, {"do": "approve", "number": "TK-LS03-001"}).status_code == 302

    handed = reverse("payments:handovers")
    ask = {"do": "draw", "owner": "government|湖城机关事务管理中心", "until": "2026-03-31"}
    assert client("clerk").post(handed, ask).status_code == 302
    handover = Handover.objects.get()
    decide = {"do": "approve", "number": handover.number}
    assert client("approver").post(handed, decide).status_code == 422  # the treasury's number
    pdf = reverse("payments:handover_pdf", args=[handover.number])
    assert client("clerk").get(pdf).status_code == 404  # no paper before it is approved
    assert client("approver").post(handed, {**decide, "treasury_no": "湖财 417"}).status_code == 302
    text = words_of(client("clerk").get(pdf).content, tmp_path)
    if text:
        assert f"{handover.amount:,.2f}" in text and "湖财 417" in text and handover.code in text
    verified = client("").get(reverse("verify", args=[handover.number, handover.code]))
    assert verified.status_code == 200 and "This paper is genuine" in verified.content.decode()
    assert client("").get(reverse("verify", args=[handover.number, "A" * 10])).status_code == 404


def test_the_monthly_report_says_what_statements_and_books_say(story_db, tmp_path):
    page = reverse("reports:report", args=[JANUARY])
    found = client("auditor").get(page).context["report"]
    rows = Statement.objects.filter(month=JANUARY)
    for name in ("charge", "applied", "cash_due", "credit", "carry_out"):
        assert found.sums[name] == sum(getattr(row, name) for row in rows), name
    until, before = balances(before=FEBRUARY), balances(before=JANUARY)
    moved = {name: until.get(name, Decimal(0)) - before.get(name, Decimal(0)) for name in until}
    assert found.sums["charge"] == -sum(a for n, a in moved.items() if n.startswith("Income:Rent:"))
    assert found.sums["credit"] == sum(a for n, a in moved.items() if n.startswith("Expenses:RentOffset:"))
    for kind, amount in found.value.items():
        booked = sum(a for n, a in moved.items() if n.startswith("Equity:Vouchers:") and n.endswith(kind))
        assert amount == abs(booked), kind
    assert found.value["Issued"] > 0 and found.value["Redeemed"] > 0  # control

    book = openpyxl.load_workbook(io.BytesIO(body(client("clerk").get(f"{page}?format=xlsx"))))
    assert len(book.worksheets) == 3 and all(sheet._charts for sheet in book.worksheets)
    register = book.worksheets[2]
    heading = [cell.value for cell in register[1]]
    for name, label in (("charge", "Rent charged"), ("applied", "Offset"), ("cash_due", "Cash due")):
        column = heading.index(label) + 1
        cells = [register.cell(row, column).value for row in range(2, register.max_row + 1)]
        assert sum(Decimal(str(value)) for value in cells) == found.sums[name]
    text = words_of(client("clerk").get(f"{page}?format=pdf").content, tmp_path)
    if text:
        for name in ("charge", "applied", "cash_due", "received"):
            assert f"{found.sums[name]:,.2f}" in text, name
        nobody_in(text)
    east = client("officer-east").get(page).context["report"]
    assert {one.lease.code for one in east.places} == {"LS01", "LS03"} and not east.value
    assert client("clerk").get(reverse("reports:report", args=["2025-01"])).status_code == 404


def test_what_an_inspection_found_stays_until_somebody_looked_again(story_db):
    page = reverse("reports:inspections")
    march = {"month": "2026-03"}
    told = {"do": "inspect", "lease": "LS01", "on": "2026-03-12", "area_1": "fire", "text_1": "灭火器过期"}
    assert client("auditor").post(page, told).status_code == 403
    assert (
        client("officer-west").post(page, {**told, "until_1": "2026-03-20"}).status_code == 422
    )  # not their street
    assert client("officer-east").post(page, told).status_code == 422  # until when?
    told["until_1"] = "2026-03-20"
    assert client("officer-east").post(page, told).status_code == 302
    assert client("officer-east").post(page, told).status_code == 409  # twice
    seen = client("auditor").get(page, march)
    assert [one.code for one in seen.context["missing"]] == ["LS02"]  # LS03 has ended
    assert "overdue" in seen.content.decode() and "灭火器过期" in seen.content.decode()
    again = reverse("reports:finding", args=[Finding.objects.get().pk])
    assert client("officer-west").get(again).status_code == 404
    assert client("officer-east").post(again, {"do": "open", "on": "2026-03-21"}).status_code == 409
    later = {"do": "open", "on": "2026-03-21", "until": "2026-03-28", "note": "已下单"}
    assert client("officer-east").post(again, later).status_code == 302
    assert client("clerk").post(again, {"do": "mended", "on": "2026-03-27"}).status_code == 302
    assert client("clerk").post(again, {"do": "mended", "on": "2026-03-27"}).status_code == 409
    report = client("auditor").get(reverse("reports:report", args=["2026-03"])).context["report"]
    assert (report.inspections, report.findings, report.findings_open) == (1, 1, 0)


def test_seal_books_and_evidence(story_db, tmp_path, settings):
    settings.DATA_DIR = tmp_path / "data"
    payments.tell()
    seals = reverse("reports:seals")
    ask = {"do": "allow", "paper": "bf-op01-202601", "purpose": "附件", "copies": "2"}
    assert client("approver").post(seals, {**ask, "paper": "BF-OP01-209901"}).status_code == 422
    assert client("auditor").post(seals, ask).status_code == 403
    assert client("approver").post(seals, ask).status_code == 302
    number = client("clerk").get(seals).context["listing"].page[0].pk
    assert client("approver").post(seals, {"do": "seal", "approval": number}).status_code == 409
    assert client("clerk").post(seals, {"do": "seal", "approval": number}).status_code == 302
    assert head().hash not in client("").get(reverse("chain")).content.decode()  # not published yet

    download = reverse("reports:download", args=[JANUARY])
    assert client("auditor").get(download).status_code == 404  # not written yet
    call_command("export_books", str(settings.DATA_DIR / "books"), stdout=io.StringIO())
    assert download in client("auditor").get(reverse("reports:books")).content.decode()
    file = client("auditor").get(download)
    with zipfile.ZipFile(io.BytesIO(body(file))) as archive:
        archive.extractall(tmp_path / "taken")
    assert list(wrong(tmp_path / "taken", key=public_key(signing_secret()))) == []
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "MANIFEST.pem", "-rawin", "-in", "MANIFEST.json",
         "-sigfile", "MANIFEST.sig"],
        cwd=tmp_path / "taken", capture_output=True, text=True,
    )  # fmt: skip
    assert "Verified Successfully" in done.stdout, done
    (tmp_path / "taken" / "accounts.beancount").write_bytes(b"; changed")
    assert list(wrong(tmp_path / "taken")) == ["accounts.beancount"]

    pack = tmp_path / "pack"
    out = io.StringIO()
    call_command("evidence_pack", "2026-01", "--into", str(pack), stdout=out)
    now = head()
    assert f"{now.number} {now.hash}" in out.getvalue()
    assert now.hash in client("").get(reverse("chain")).content.decode()
    call_command("verify_manifest", str(pack), stdout=out)
    chain = json.loads((pack / "chain.json").read_text())
    assert chain["broken"] == [] and chain["head"]["hash"] == now.hash
    rows = list(csv.DictReader(io.StringIO((pack / "statements.csv").read_text("utf-8-sig"))))
    assert {row["lease"]: row["applied"] for row in rows} == {
        one.lease.code: str(one.applied)
        for one in Statement.objects.filter(month=JANUARY).select_related("lease")
    }
    claims = list(csv.DictReader(io.StringIO((pack / "claims.csv").read_text("utf-8-sig"))))
    earned = {row["lease"]: Decimal(row["earned"]) for row in rows}
    for code, amount in earned.items():  # every figure can be reckoned from the pack alone
        assert sum(Decimal(one["amount"]) for one in claims if one["lease"] == code) == amount
    approvals = (pack / "approvals.csv").read_text("utf-8-sig")
    assert (
        approvals.count("approve") >= 4
        and "manager-op01" not in approvals
        and "officer" not in approvals.replace("street_officer", "")
    )
    for path in pack.rglob("*"):
        if path.is_file() and path.suffix != ".sig":
            nobody_in(path.read_text("utf-8"))
    with pytest.raises(Refused):
        call_command("evidence_pack", "2026-01", "--into", str(pack))
    with pytest.raises(Refused):
        call_command("evidence_pack", "2024-01", "--into", str(tmp_path / "none"))
    (pack / "claims.csv").write_text("changed")
    with pytest.raises(Refused):
        call_command("verify_manifest", str(pack), stdout=out)
    assert Record.objects.filter(action__in=["evidence_pack", "download_books"]).count() == 2
    assert Receipt.objects.filter(state="paid").exists()
