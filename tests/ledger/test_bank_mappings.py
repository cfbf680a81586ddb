"""Bank files of any other layout: mapped once for an account, then read, matched and known like all others."""

import io

import openpyxl
import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from ledger.banking.continuity import breaks
from ledger.banking.layouts import read_bank
from ledger.banking.mappings import (
    CannotMap,
    drop_mapping,
    find_layout,
    guess,
    layout_from,
    look,
    save_mapping,
)
from ledger.files.problems import FileRefused
from ledger.models import BankLine, BankMapping
from providers.leases.receipts import import_bank
from tests import story
from tests.story import moment

AT = moment("2026-03-20 09:00")
# 对公客户账户明细: one amount with its sign, no account of one's own.
SIGNED = ["交易日期", "交易发生金额", "账户余额", "对方账号", "对方户名", "摘要", "备注"]
SIGNED_ROWS = [
    ["20260310", "60.00", "160.00", "6222001", "松鹤养老服务有限公司", "LS01", "房租"],
    ["20260311", "-12.50", "147.50", "6222002", "湖城机关事务管理中心", "手续费", ""],
    ["20260312", "1,000.00", "1147.50", "6222003", "路人", "", "往来"],
]
# An accounting statement: a title above, the day as a number, two columns of amounts.
BOOKS = ["会计日期", "摘要", "借方发生额(支出)", "贷方发生额(收入)", "账户余额", "对方户名"]
BOOKS_ROWS = [
    ["20260313", "LS01 房租", "", "60.00", "160.00", "松鹤"],
    ["20260314", "手续费", "12.50", "", "147.50", ""],
]


def csv_file(*rows: list[str], encoding: str = "utf-8") -> bytes:
    return "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows).encode(encoding)


def workbook(*rows: list) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def by(name: str = "clerk") -> dict:
    return {"by": story.user_named(name), "at": AT}


def mapped(headings=SIGNED, *, account: str = "98000077", header_line: int = 1, **other) -> BankMapping:
    return save_mapping(
        account=account, bank="湖城商业银行", headings=headings, places=guess(headings), header_line=header_line,
        **(other or by()),
    )  # fmt: skip


def test_what_banks_call_their_columns_is_guessed():
    assert guess(SIGNED) == {
        "booked_at": "交易日期", "signed": "交易发生金额", "balance": "账户余额", "counterparty_name": "对方户名",
        "counterparty_account": "对方账号", "summary": "摘要", "purpose": "备注",
    }  # fmt: skip
    assert guess(BOOKS)["debit"] == "借方发生额(支出)" and "signed" not in guess(BOOKS)


def test_any_layout_is_read_like_the_known_ones(story_db):
    layout = find_layout(mapped().layout_name)
    plain = read_bank(csv_file(SIGNED, *SIGNED_ROWS), layout)
    assert [(one.direction, str(one.amount), one.account) for one in plain] == [
        ("in", "60.00", "98000077"), ("out", "12.50", "98000077"), ("in", "1000.00", "98000077"),
    ]  # fmt: skip
    assert (plain[0].summary, plain[0].purpose, plain[0].counterparty_name) == (
        "LS01",
        "房租",
        "松鹤养老服务有限公司",
    )
    chinese = read_bank(csv_file(SIGNED, *SIGNED_ROWS, encoding="gb18030"), layout)
    sheet = read_bank(
        workbook(
            SIGNED, *[[int(r[0]), float(r[1].replace(",", "")), float(r[2]), *r[3:]] for r in SIGNED_ROWS]
        ),
        layout,
    )
    known = [(one.fingerprint, one.occurrence) for one in plain]
    assert [(one.fingerprint, one.occurrence) for one in chinese] == known
    assert [(one.fingerprint, one.occurrence) for one in sheet] == known
    assert breaks([plain]) == []  # balances continuous
    assert len(breaks([[plain[0], plain[2]]])) == 1  # the control: a line missing

    books = find_layout(mapped(BOOKS, header_line=3).layout_name)
    titled = [["湖城商业银行"], ["2026 年 3 月"], BOOKS, *BOOKS_ROWS]
    for file in (csv_file(*titled), workbook(*titled)):
        lines = read_bank(file, books)
        assert [(one.direction, f"{one.booked_at:%Y-%m-%d}") for one in lines] == [
            ("in", "2026-03-13"),
            ("out", "2026-03-14"),
        ]
    with pytest.raises(FileRefused, match=":2: 交易发生金额"):
        read_bank(csv_file(SIGNED, ["20260310", "0.00", *SIGNED_ROWS[0][2:]]), layout)
    with pytest.raises(FileRefused):
        read_bank(csv_file(SIGNED[:-1], SIGNED_ROWS[0][:-1]), layout)  # a column is missing


def test_lines_are_taken_once_and_matched(story_db):
    mapping = mapped()
    rows = read_bank(csv_file(SIGNED, *SIGNED_ROWS), find_layout(mapping.layout_name))
    act = {"name": "march.csv", "layout": mapping.layout_name, **by()}
    done = import_bank(rows=rows[:2], **act)
    assert (done.new, done.matched, done.unmatched) == (2, 1, 1)
    done = import_bank(rows=rows, **act)  # files overlap
    assert (done.new, done.repeated) == (1, 2)
    assert BankLine.objects.filter(account="98000077").count() == 3
    with pytest.raises(CannotMap) as refusal:
        drop_mapping(mapping=mapping, **by())
    assert refusal.value.code == "in_use"
    for attack in (mapping.delete, lambda: BankMapping.objects.update(places={})):
        with pytest.raises(Exception, match="bank files were read"), transaction.atomic():
            attack()


def test_what_cannot_tell_day_and_amount_is_refused(story_db):
    right = guess(SIGNED)
    for change, code in (
        ({"booked_at": ""}, "no_day"),
        ({"signed": ""}, "no_amount"),
        ({"debit": "备注", "purpose": ""}, "amount_twice"),
        ({"summary": "备注"}, "heading_twice"),
        ({"summary": "无此列"}, "unknown_heading"),
    ):
        with pytest.raises(CannotMap) as refusal:
            layout_from(account="1", headings=SIGNED, places={**right, **change})
        assert refusal.value.code == code
    mapping = mapped()
    for account, other, code in (
        ("98000077", by(), "mapped_before"),
        ("98000078", by("approver"), "wrong_role"),
    ):
        with pytest.raises(CannotMap) as refusal:
            mapped(account=account, **other)
        assert refusal.value.code == code
    with pytest.raises(CannotMap) as refusal:
        mapped(story.ICBC.split(","))
    assert refusal.value.code == "known_bank"
    drop_mapping(mapping=mapping, **by())  # nothing was read by it
    with pytest.raises(KeyError):
        find_layout(mapping.layout_name)
    with pytest.raises(FileRefused):
        look(csv_file(["湖城商业银行"], SIGNED), header_line=2, name="x.csv")  # no rows below


def test_the_page_leads_from_a_file_to_its_mapping(story_db):
    client = Client(headers={"accept-language": "en"})
    client.force_login(story.user_named("clerk"), backend="django.contrib.auth.backends.ModelBackend")
    page = reverse("bureau:layouts")
    file = io.BytesIO(csv_file(SIGNED, *SIGNED_ROWS, encoding="gb18030"))
    file.name = "march.csv"
    answer = client.post(page, {"do": "look", "file": file, "header_line": "1"})
    assert answer.status_code == 200
    form = answer.context["places"]
    said = {name: form[name].value() or "" for name in form.fields if name not in ("bank", "own")}
    told = {"sample": answer.context["text"], "bank": "湖城商业银行", "own": "98000077", **said}
    answer = client.post(page, {**told, "do": "preview"})
    assert [str(one.amount) for one in answer.context["lines"]] == ["60.00", "12.50", "1000.00"]
    answer = client.post(page, {**told, "do": "preview", "signed": ""})
    assert answer.status_code == 409 and answer.context["refusal"].code == "no_amount"
    assert client.post(page, {**told, "do": "save", "sample": "x" + told["sample"]}).status_code == 409
    assert not BankMapping.objects.exists()
    assert client.post(page, {**told, "do": "save"}).status_code == 302
    name = BankMapping.objects.get().layout_name
    upload = client.get(reverse("work_kind", args=["bank"]))
    assert name in dict(upload.context["form"].fields["layout"].choices)
