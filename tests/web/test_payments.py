"""The pages of payouts, payments and reports: the figures that stand elsewhere, by the people who may."""

import csv
import io
import json
import re
import subprocess
import zipfile
from datetime import date
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
from marketplace.evidence.tables import tables
from marketplace.management.base import Refused
from providers.leases.receipts import Dues
from providers.leases.suspense import match_by_hand
from providers.models import Handover, Lease, Operator, Receipt, RentCharge
from tests import payments, story
from tests.handed_out import body, nobody_in, words_of
from tests.payments import line
from tests.story import FEBRUARY, JANUARY, MARCH
from vouchers.models import Payout, Statement


def client(name: str) -> Client:
    one = Client(headers={"accept-language": "en"})
    if name:
        one.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
    return one


def test_a_list_goes_through_three_hands_and_is_paid(story_db):
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
    text = words_of(client("manager-op01").get(reverse("payments:payout_pdf", args=[crane.number])).content)
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
    assert Payout.objects.get(pk=crane.pk).payments.get().receipt == paid
    assert "Paid by" in client("manager-op01").get(page).content.decode()
    assert client("clerk").post(where, {"do": "release", "reason": "退回"}).status_code == 422
    assert client("clerk").post(where, {"do": "release", "reason": "银行退回"}).status_code == 302
    assert not Payout.objects.get(pk=crane.pk).payments.exists()


def approved_lists(count: int) -> None:
    """Lists of OP02 that wait to be paid, one a month from 2020 on: 1 yuan, 2 yuan, ..."""
    figures = dict.fromkeys([*Payout.FIGURES, "redemptions", "under_review"], 0)
    Payout.objects.bulk_create(
        Payout(
            operator=Operator.objects.get(code="OP02"), month=month, number=f"BF-OP02-{month:%Y%m}",
            state="approved", digest="", drawn_at=story.moment("2026-01-01"),
            **{**figures, "government": n, "total": n, "to_pay": n},
        )
        for n, month in enumerate((date(2020 + i // 12, 1 + i % 12, 1) for i in range(count)), 1)
    )  # fmt: skip


def ticked(page: str) -> list[str]:
    return re.findall(r'name="number" value="([\w-]+)" checked', page)


def test_whatever_waits_to_be_paid_is_found_and_a_batch_is_ticked_at_once(story_db):
    approved_lists(60)
    clerk = client("clerk")
    batch = line("2026-04-03 09:00", sum(range(13, 25)), summary="批量代发")  # the twelve of 2021
    where = reverse("bureau:receipt", args=[batch.bank_line_id])
    page = clerk.get(where).content.decode()
    assert page.count('name="number"') == 40 and "40 of 60" in page and "Search for the others" in page
    assert "BF-OP02-202412" not in page  # control: what the first page leaves out ...
    assert "BF-OP02-202412" in clerk.post(where, {"do": "find", "q": "202412"}).content.decode()  # is found
    for words in ("银杏 60", "60.00"):
        found = clerk.post(where, {"do": "find", "q": words}).content.decode()
        assert found.count('name="number"') == 1 and "BF-OP02-202412" in found, words
    assert "None of them fits" in clerk.post(where, {"do": "find", "q": "OP01"}).content.decode()
    keeping = clerk.post(where, {"do": "find", "q": "202412", "number": ["BF-OP02-202001"]}).content.decode()
    assert ticked(keeping) == ["BF-OP02-202001"] and "Ticked: 1" in keeping
    year = clerk.post(where, {"do": "all", "q": "OP02-2021"}).content.decode()
    assert ticked(year) == [f"BF-OP02-2021{month:02d}" for month in range(1, 13)]
    assert Receipt.objects.get(pk=batch.pk).state == "suspense"  # looking changes nothing
    assert clerk.post(where, {"do": "pay", "q": "2021", "number": ticked(year)}).status_code == 302
    assert Payout.objects.filter(payments__receipt=batch).count() == 12
    named = line("2026-04-03 09:30", 5, summary="拨付BF-OP02-202404 手续")  # bears a number, of another sum
    page = clerk.get(reverse("bureau:receipt", args=[named.bank_line_id])).content.decode()
    assert ticked(page) == ["BF-OP02-202404"]


def test_a_payer_of_six_leases_pays_them_by_one_line(story_db):
    ls03 = Lease.objects.get(code="LS03")
    for n in range(5):
        place = story.premises(f"PM1{n}", ls03.premises.division)
        made = story.lease(f"LS1{n}", place, ls03.operator)
        for month in (JANUARY, FEBRUARY):
            RentCharge.objects.create(lease=made, month=month, charge=10 + n, applied=0, cash_due=10 + n)
    paid = line("2026-04-01 09:00", 160, out=False, payer="银杏社区照护中心")
    where = reverse("bureau:receipt", args=[paid.bank_line_id])
    clerk = client("clerk")
    places = 'name="lease_'
    page = clerk.get(where).content.decode()
    assert page.count(places) == 4  # control: room for four, and more on demand
    assert page.count("same payer") == sum(due.operator == "OP02" for due in Dues().open()) > 9  # all of them
    told = {f"lease_{n}": "LS10" if n == 0 else "" for n in range(4)} | {"amount_0": "9,5"}
    more = clerk.post(where, {**told, "do": "more"}).content.decode()
    assert more.count(places) == 8 and 'value="LS10"' in more and 'value="9,5"' in more
    filled = clerk.post(where, {**told, "do": "fill"}).context["match"]
    parts = {
        code: Decimal(amount)
        for code, amount in ((one.value(), part.value()) for one, part in filled.pairs)
        if code
    }
    assert {"LS10", "LS11", "LS12", "LS13", "LS14"} <= set(parts) and sum(parts.values()) <= 160
    rest = 160 - sum(parts.values())
    assert (clerk.post(where, {"do": "fill"}).context["left"] == rest) and rest >= 0
    parts["LS02"] = parts.get("LS02", Decimal(0)) + rest
    answer = {"do": "match"}
    for n, (code, amount) in enumerate(part for part in parts.items() if part[1]):
        answer |= {f"lease_{n}": code, f"amount_{n}": str(amount)}
    assert n >= 4 and clerk.post(where, {**answer, "amount_0": "0.01"}).status_code == 409
    assert clerk.post(where, answer).status_code == 302
    assert Receipt.objects.get(pk=paid.pk).parts.count() == n + 1


def test_parts_fees_and_returns_are_decided_from_the_lines_page(story_db):
    approved_lists(3)
    clerk = client("clerk")

    def page_of(receipt: Receipt) -> str:
        return reverse("bureau:receipt", args=[receipt.bank_line_id])

    first = line("2026-04-03 09:00", "2.50", summary="代发第一笔")
    ask = {"do": "pay", "number": ["BF-OP02-202003", "BF-OP02-202001"]}
    refused = clerk.post(page_of(first), ask)  # 4 yuan are ticked
    assert refused.status_code == 409 and "Say how much of each it paid" in refused.content.decode()
    parts = {"amount_BF-OP02-202003": "x", "amount_BF-OP02-202001": "1"}
    wrong = clerk.post(page_of(first), ask | parts)
    assert wrong.status_code == 409 and 'value="x"' in wrong.content.decode()  # what was typed stays
    assert clerk.post(page_of(first), ask | parts | {"amount_BF-OP02-202003": "1.50"}).status_code == 302
    assert "of 3" in clerk.get(page_of(first)).content.decode()
    shown = clerk.get(reverse("payments:payout", args=["BF-OP02-202003"])).content.decode()
    assert "are still to be paid" in shown and page_of(first) in shown
    assert "paid in part" in clerk.get(reverse("payments:payouts")).content.decode()

    fee = line("2026-04-03 10:00", 15, summary="手续费")
    assert "Book as a bank fee" in clerk.get(page_of(fee)).content.decode()
    assert client("approver").post(page_of(fee), {"do": "fee"}).status_code == 403
    assert clerk.post(page_of(fee), {"do": "interest"}).status_code == 409  # it went out
    assert clerk.post(page_of(fee), {"do": "fee"}).status_code == 302
    assert "bank fee" in clerk.get(f"{reverse('bureau:receipts')}?show=own").content.decode()

    came = line("2026-04-06 09:00", "2.50", out=False, summary="退汇")
    offered = clerk.get(page_of(came)).content.decode()
    assert "BF-OP02-202003" in offered and f'value="{first.bank_line_id}" checked' in offered
    ask = {"do": "return", "other": str(first.bank_line_id), "back-reason": "账号有误"}
    assert clerk.post(page_of(came), ask | {"back-reason": ""}).status_code == 422
    assert clerk.post(page_of(came), ask | {"other": "x"}).status_code == 404
    assert clerk.post(page_of(came), ask | {"other": str(fee.bank_line_id)}).status_code == 409
    assert clerk.post(page_of(came), ask).status_code == 302
    assert page_of(first) in clerk.get(page_of(came)).content.decode()
    assert (
        "are still to be paid"
        not in clerk.get(reverse("payments:payout", args=["BF-OP02-202003"])).content.decode()
    )
    assert clerk.post(page_of(first), {"do": "release", "reason": "另一笔退的"}).status_code == 302
    assert {Receipt.objects.get(pk=one.pk).state for one in (first, came)} == {"suspense"}


def test_fund_refunds_and_handed_over_rent(story_db):
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
    assert client("clerk").get(f"{refunds}?format=transfer").status_code == 404  # nothing is approved
    assert client("approver").post(refunds, {"do": "approve", "number": "TK-LS03-001"}).status_code == 302
    assert "has no bank account on record" in client("clerk").get(refunds).content.decode()
    payments.payees()
    file = body(client("clerk").get(f"{refunds}?format=transfer")).decode("utf-8-sig")
    [_heading, row] = list(csv.reader(io.StringIO(file)))
    assert (row[0], row[3:]) == ("银杏社区照护中心", ["20.00", "退款 TK-LS03-001"])

    handed = reverse("payments:handovers")
    ask = {"do": "draw", "owner": "government|湖城机关事务管理中心", "until": "2026-03-31"}
    assert client("clerk").post(handed, ask).status_code == 302
    handover = Handover.objects.get()
    decide = {"do": "approve", "number": handover.number}
    assert client("approver").post(handed, decide).status_code == 422  # the treasury's number
    pdf = reverse("payments:handover_pdf", args=[handover.number])
    assert client("clerk").get(pdf).status_code == 404  # no paper before it is approved
    assert client("approver").post(handed, {**decide, "treasury_no": "湖财 417"}).status_code == 302
    text = words_of(client("clerk").get(pdf).content)
    assert f"{handover.amount:,.2f}" in text and "湖财 417" in text and handover.code in text
    verified = client("").get(reverse("verify", args=[handover.number, handover.code]))
    assert verified.status_code == 200 and "This paper is genuine" in verified.content.decode()
    assert client("").get(reverse("verify", args=[handover.number, "A" * 10])).status_code == 404


def test_the_monthly_report_says_what_statements_and_books_say(story_db):
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
    text = words_of(client("clerk").get(f"{page}?format=pdf").content)
    for name in ("charge", "applied", "cash_due", "received"):
        assert f"{found.sums[name]:,.2f}" in text, name
    nobody_in(text)
    east = client("officer-east").get(page).context["report"]
    assert {one.lease.code for one in east.places} == {"LS01", "LS03"} and not east.value
    assert client("clerk").get(reverse("reports:report", args=["2025-01"])).status_code == 404
    assert "not approved yet" not in client("clerk").get(page).content.decode()
    payments.draw()
    assert "Payouts, 2 lists not approved yet" in client("clerk").get(page).content.decode()


def test_every_list_of_payments_is_searched_by_what_stands_in_it(story_db):
    """Each word names what is left, an amount names its line, and what nothing fits says so."""
    payments.tell()
    line("2026-03-20 09:00", 70, out=False, summary="LS03 房租")
    ask = {"do": "draw", "lease": "LS03", "amount": "20", "reason": "租约终止多缴"}
    assert client("clerk").post(reverse("payments:refunds"), ask).status_code == 302
    page = client("auditor").get(reverse("payments:payouts"))
    assert page.context["listing"].total == 2  # control: more than is found
    for name, words, found in (
        ("payments:payouts", "OP01 202601", 1),
        ("payments:payouts", f"{Payout.objects.get(number='BF-OP01-202601').to_pay}", 1),
        ("payments:refunds", "TK-LS03 多缴", 1),
        ("payments:refunds", "20.00", 1),
        ("payments:fund", "慈善会 午餐", 1),
        ("payments:fund", "100", 1),
        ("payments:handovers", "湖财 2026-0417", 1),
        ("bureau:arrears", "松鹤 LS01", 1),
    ):
        page = reverse(name)
        answer = client("auditor").get(page, {"q": words})
        assert answer.context["listing"].total == found, (name, words)
        nothing = client("auditor").get(page, {"q": "没有这样的 1,2"})
        assert nothing.context["listing"].total == 0 and "No line fits" in nothing.content.decode(), name
        file = body(client("auditor").get(page, {"q": words, "format": "csv"})).decode("utf-8-sig")
        assert len(list(csv.reader(io.StringIO(file)))) == found + 1, name


def in_pack(pack: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((pack / f"{name}.csv").read_text("utf-8-sig"))))


def follow_the_rent(pack: Path) -> None:
    """From the bank line that a lease paid to the treasury's number and the line that paid it in, in the pack alone."""
    paid: dict[str, Decimal] = {}
    for row in [*in_pack(pack, "receipts"), *in_pack(pack, "receipt_parts")]:
        if row["lease"] and row.get("state", "matched") == "matched":
            paid[row["lease"]] = paid.get(row["lease"], Decimal(0)) + Decimal(row["amount"])
    (handover,) = in_pack(pack, "handovers")
    lines = {row["lease"]: Decimal(row["amount"]) for row in in_pack(pack, "handover_lines")}
    assert lines == paid and sum(lines.values()) == Decimal(handover["amount"])
    assert handover["treasury_no"] == "湖财 2026-0417" and handover["approved_role"] == "bureau_approver"
    assert "" != handover["drawn_by"] != handover["approved_by"] != ""

    april = {name: list(rows) for name, (_fields, rows) in tables(date(2026, 4, 1)).items()}
    out = [row for row in april["receipts"] if row[0] == handover["paid_by_line"]]
    assert [(row[2], row[3]) for row in out] == [("out", Decimal(handover["amount"]))]
    assert [row[1] for row in april["donations"]] == [100] and len(april["findings"]) == 2
    assert [len(april[name]) for name in ("inspections", "seal_uses", "handovers")] == [1, 1, 0]
    written = str(april)
    nobody_in(written)
    assert not [word for word in ("湖城慈善会", "老人午餐", "灭火器", "'officer'") if word in written]
    Handover.objects.update(
        until_on=date(2026, 2, 28)
    )  # control: a sum that ends before the month is not its rent
    assert not list(tables(date(2026, 3, 1))["handovers"][1])


def test_what_an_ended_lease_pays_later_is_received_in_report_and_overview_alike(story_db):
    """LS03 ended on 31 January and has no statement of March, in which it pays 20; a line is split with LS02."""
    line("2026-03-20 09:00", 20, out=False, summary="LS03 房租")
    both = line("2026-03-21 09:00", 12, out=False, summary="两处房租")
    parts = [(Lease.objects.get(code=code), Decimal(amount)) for code, amount in (("LS02", 9), ("LS03", 3))]
    match_by_hand(receipt=both, parts=parts, **payments.by())
    page = reverse("reports:report", args=[MARCH])
    for name, whole, elsewhere in (
        ("auditor", 40 + 20 + 12, 23),
        ("officer-east", 40 + 23, 23),
        ("officer-west", 9, 0),
    ):
        shown = client(name).get(page)
        found = shown.context["report"]
        months = client(name).get(reverse("bureau:overview")).context["months"]
        assert found.sums["received"] == whole == months[-1]["received"], name
        assert found.received_elsewhere == elsewhere, name
        assert ("LS03" in shown.content.decode()) == bool(elsewhere), name
    assert "LS03" not in {one.lease.code for one in found.places}  # control: it has no statement of March
    book = openpyxl.load_workbook(io.BytesIO(body(client("clerk").get(f"{page}?format=xlsx"))))
    heading, *register = book.worksheets[2].iter_rows(values_only=True)
    column = heading.index("Cash received")
    assert {row[0]: Decimal(str(row[column])) for row in register} == {"LS01": 40, "LS02": 9, "LS03": 23}
    told = dict(row[:2] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True))
    assert Decimal(str(told["Cash received"])) == 72
    assert Decimal(str(told["of it for leases without a statement of the month"])) == 23
    text = words_of(client("clerk").get(f"{page}?format=pdf").content)
    assert re.search(r"Cash received\s+72\.00", text) and re.search(r"LS03 .*–.* 23\.00", text), text


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
    call_command("evidence_pack", "2026-03", "--into", str(tmp_path / "march"), stdout=out)
    follow_the_rent(tmp_path / "march")
    for path in [*pack.rglob("*"), *(tmp_path / "march").rglob("*")]:
        if path.is_file() and path.suffix != ".sig":
            nobody_in(path.read_text("utf-8"))
    with pytest.raises(Refused):
        call_command("evidence_pack", "2026-01", "--into", str(pack))
    with pytest.raises(Refused):
        call_command("evidence_pack", "2024-01", "--into", str(tmp_path / "none"))
    (pack / "claims.csv").write_text("changed")
    with pytest.raises(Refused):
        call_command("verify_manifest", str(pack), stdout=out)
    assert Record.objects.filter(action__in=["evidence_pack", "download_books"]).count() == 3
    assert Receipt.objects.filter(state="paid").exists()
