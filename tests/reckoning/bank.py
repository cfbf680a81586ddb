"""Bank lines against rent (section 8). A line is the tuple of its thirteen columns, as text."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

COLUMNS = [
    "凭证号",
    "本方账号",
    "对方账号",
    "交易时间",
    "借/贷",
    "借方发生额",
    "贷方发生额",
    "对方行号",
    "摘要",
    "用途",
    "对方单位名称",
    "余额",
    "个性化信息",
]


@dataclass
class BankLine:
    columns: tuple
    amount: Decimal
    lease: str | None = None  # matched to this lease's receivable
    proposed: tuple | None = None  # (lease, month) whose open cash due it equals


def codes_in(known, *texts):
    """Known lease codes that stand free in the texts: no ASCII letter or digit touches them."""
    return {
        code
        for code in known
        if any(re.search(rf"(?<![A-Za-z0-9]){code}(?![A-Za-z0-9])", text) for text in texts)
    }


def open_dues(city, operator):
    """(lease, month) -> what is still open: cash due less proposals, less receipts, oldest month first."""
    dues = {}
    receipts = Counter()
    for line in city.bank_lines:
        if line.lease:
            receipts[line.lease] += line.amount
    for lease, month, statement in city.approved():
        if city.leases[lease].operator != operator:
            continue
        due = statement.cash_due
        due -= sum(line.amount for line in city.bank_lines if line.proposed == (lease, month))
        paid = max(min(receipts[lease], due), 0)
        receipts[lease] -= paid
        dues[lease, month] = due - paid
    return dues


def take(city, lines):
    tally = dict.fromkeys(("new", "repeated", "matched", "proposed", "unmatched"), 0)
    stored = Counter(line.columns for line in city.bank_lines)
    met = Counter()
    for columns in lines:
        columns = tuple(columns)
        met[columns] += 1
        if met[columns] <= stored[columns]:
            tally["repeated"] += 1
            continue
        tally["new"] += 1
        tally[_post(city, columns)] += 1
    return tally


def _post(city, columns):
    row = dict(zip(COLUMNS, columns, strict=True))
    on = datetime.fromisoformat(row["交易时间"]).date()
    if row["借/贷"] == "借":
        line = BankLine(columns, Decimal(row["借方发生额"]))
        city.bank_lines.append(line)
        city._post(on, "bank", "Assets:Suspense:Payments", "Assets:Bank:Rent", line.amount)
        return "unmatched"
    line = BankLine(columns, Decimal(row["贷方发生额"]))
    codes = codes_in(city.leases, row["摘要"], row["用途"])
    outcome, credited = "unmatched", "Liabilities:Suspense:Receipts"
    if len(codes) == 1:
        line.lease = codes.pop()
        outcome, credited = "matched", f"Assets:Receivable:Rent:{line.lease}"
    else:
        payers = [o.code for o in city.operators.values() if o.name == row["对方单位名称"]]
        same = [
            due
            for payer in payers
            for due, left in open_dues(city, payer).items()
            if left > 0 and left == line.amount
        ]
        if len(same) == 1:
            line.proposed, outcome = same[0], "proposed"
    city.bank_lines.append(line)
    city._post(on, "bank", "Assets:Bank:Rent", credited, line.amount)
    return outcome
