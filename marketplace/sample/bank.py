"""What the bank says: rent as it is really paid, in the layout of an ICBC corporate account.

Payers pay what the approved statements say, so these rows are made when those figures are known.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from marketplace.sample.dates import Calendar, add_months, label, last_day

COLUMNS = (
    "凭证号", "本方账号", "对方账号", "交易时间", "借/贷", "借方发生额", "贷方发生额", "对方行号", "摘要", "用途",
    "对方单位名称", "余额", "个性化信息",
)  # fmt: skip
ACCOUNT = "1903099900000000001"
OPENING = Decimal("186200.00")

# Leases that do not simply pay in full and name themselves.
SAYS_NO_CODE = {"LS005", "LS010"}  # matched by payer and amount, for a person to confirm
PAYS_IN_TWO = {"LS002", "LS016"}
PAYS_FOUR_FIFTHS = {"LS008"}
SKIPS_FIRST = {"LS011"}  # pays two months together in the second
STOPS = {"LS013"}  # pays nothing once it is suspended


@dataclass(frozen=True)
class Due:
    """What an approved statement asks for: `operator` is the payer's name."""

    lease: str
    operator: str
    month: date
    cash_due: Decimal


@dataclass(frozen=True)
class _Line:
    day: date
    second: int
    amount: Decimal  # negative: paid out
    summary: str
    purpose: str
    payer: str


def receipts(
    *,
    month: date,
    dues: list[Due],
    calendar: Calendar,
    seed: int,
    first: bool,
    opening: Decimal = OPENING,
    payouts: Sequence[tuple[str, str, Decimal]] = (),
) -> list[dict[str, str]]:
    """This function will say what arrived on the account in `month`, up to yesterday.

    `dues` are all approved statements so far; those of the month before are paid now. `first`: this is the
    first month with receipts; `opening` is the account's balance before it. Amounts in yuan.
    """
    rng = random.Random(f"{seed}:bank:{label(month)}")
    before = add_months(month, -1)
    lines: list[_Line] = []

    def add(
        amount: Decimal, purpose: str, payer: str, *, summary: str = "转账", day: int | None = None
    ) -> None:
        on = month + timedelta(days=(day or rng.randint(6, 24)) - 1)
        lines.append(_Line(on, rng.randrange(9 * 3600, 17 * 3600), amount, summary, purpose, payer))

    for due in sorted(dues, key=lambda d: (d.month, d.lease)):
        if due.month != before or due.cash_due <= 0:
            continue
        purpose = f"{due.lease} {label(due.month)} 房租"
        if due.lease in SKIPS_FIRST:
            if first:
                continue
            both = [d.cash_due for d in dues if d.lease == due.lease]
            add(sum(both, Decimal(0)), f"{due.lease} 补缴两个月房租", due.operator)
        elif due.lease in STOPS and not first:
            continue
        elif due.lease in SAYS_NO_CODE:
            add(due.cash_due, "房租", due.operator)
        elif due.lease in PAYS_FOUR_FIFTHS:
            add((due.cash_due * 4 / 5).quantize(Decimal("1")), f"{due.lease}部分房租", due.operator)
        elif due.lease in PAYS_IN_TWO:
            half = (due.cash_due / 2).quantize(Decimal("1"))
            add(half, f"{purpose} 第一笔", due.operator, day=8)
            add(due.cash_due - half, f"{purpose} 第二笔", due.operator, day=19)
        else:
            add(due.cash_due, purpose, due.operator)
    add(Decimal("-15.00"), "网银手续费", "", summary="手续费", day=3)
    add(Decimal(rng.choice((3000, 5000, 8000))), "爱心助餐捐款", "示例慈善热心人", summary="捐款", day=2)
    add(Decimal("460.00"), "LS001 LS005 房租差额", "桂舟长者服务社", day=25)
    add(Decimal("88.00"), "现金存入", "", summary="现存", day=12)
    for number, payee, amount in payouts:
        add(-amount, f"拨付 {number}", payee, day=16)
    return _rows(sorted(lines, key=lambda x: (x.day, x.second)), month, calendar, opening)


def _rows(lines: list[_Line], month: date, calendar: Calendar, balance: Decimal) -> list[dict[str, str]]:
    rows = []
    for number, line in enumerate(lines, start=1):
        if line.day > min(calendar.yesterday, last_day(month)):
            break
        balance += line.amount
        hours, rest = divmod(line.second, 3600)
        paid_out = line.amount < 0
        values = (
            f"{month:%y%m}{number:04d}",
            ACCOUNT,
            f"62170999000000{sum(line.payer.encode()) % 100:02d}" if line.payer else "",
            f"{line.day} {hours:02d}:{rest // 60:02d}:{rest % 60:02d}",
            "借" if paid_out else "贷",
            f"{-line.amount:.2f}" if paid_out else "",
            "" if paid_out else f"{line.amount:.2f}",
            "999999999999" if line.payer else "",
            line.summary,
            line.purpose,
            line.payer,
            f"{balance:.2f}",
            "",
        )
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows
