"""Bank lines become receipts of rent, proposals, or money in suspense (rules.md section 8)."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from ledger import chart
from ledger.audit.operations import name_of, record
from ledger.banking.continuity import Break
from ledger.banking.layouts import BankRow
from ledger.banking.neighbours import breaks_around
from ledger.journal.operations import Move, hold_journal_open, post
from ledger.journal.queries import day_of
from ledger.models import BankFile, BankLine
from ledger.money import ZERO
from ledger.refusals import Refusal
from providers.leases.matching import Matched, OpenDue, Proposed, match
from providers.models import Lease, Operator, Receipt, ReceiptPart, Refund, RentCharge


@dataclass(frozen=True, slots=True)
class Imported:
    new: int
    repeated: int
    matched: int
    proposed: int
    unmatched: int


class Dues:
    """The open cash dues of all leases, kept true while lines come in (yuan).

    Open = cash due less the proposals pending on it and less the lease's matched receipts (refunds taken off),
    applied oldest month first; only what is above zero counts.
    """

    def __init__(self) -> None:
        self._dues: dict[str, list[tuple[date, Decimal]]] = defaultdict(list)
        self._operator: dict[str, str] = {}
        self._leases: dict[str, list[str]] = defaultdict(list)
        self._proposed: dict[tuple[str, date], Decimal] = defaultdict(lambda: ZERO)
        self._matched: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for lease, operator in Lease.objects.values_list("code", "operator__code"):
            self._operator[lease] = operator
            self._leases[operator].append(lease)
        charges = RentCharge.objects.order_by("month").values_list("lease__code", "month", "cash_due")
        for lease, month, cash_due in charges:
            self._dues[lease].append((month, cash_due))
        pending = Receipt.objects.filter(state=Receipt.State.PROPOSED).select_related("lease", "bank_line")
        for receipt in pending.order_by("id"):
            if receipt.lease and receipt.month:
                self.propose(receipt.lease.code, receipt.month, receipt.bank_line.amount)
        taken = Receipt.objects.filter(state=Receipt.State.MATCHED).values_list("lease__code")
        for lease, amount in taken.annotate(sum=Sum("bank_line__amount")):
            self.take(lease, amount)
        parts = ReceiptPart.objects.order_by().values_list("lease__code").annotate(sum=Sum("amount"))
        refunds = Refund.objects.filter(state__in=Refund.PENDING).order_by().values_list("lease__code")
        for lease, amount in parts.union(refunds.annotate(sum=-Sum("amount")), all=True):
            self.take(lease, amount)

    def propose(self, lease: str, month: date, amount: Decimal) -> None:
        self._proposed[lease, month] += amount

    def take(self, lease: str, amount: Decimal) -> None:
        self._matched[lease] += amount

    def overpaid(self, lease: str) -> Decimal:
        """What a lease has paid beyond all its cash dues, less what is refunded or about to be."""
        due = sum((cash_due for _month, cash_due in self._dues[lease]), ZERO)
        return max(self._matched[lease] - due, ZERO)

    def open(self) -> list[OpenDue]:
        """What is open of every lease."""
        return [due for lease in self._dues for due in self._open(lease)]

    def of(self, operator: str) -> Iterator[OpenDue]:
        """What is open of the leases of one operator, reckoned as it is asked for."""
        for lease in self._leases[operator]:
            yield from self._open(lease)

    def _open(self, lease: str) -> Iterator[OpenDue]:
        received = self._matched[lease]
        for month, cash_due in self._dues.get(lease, ()):
            rest = cash_due - self._proposed[lease, month]
            paid = min(max(rest, ZERO), received)
            received -= paid
            if rest - paid > 0:
                yield OpenDue(lease, self._operator[lease], month, rest - paid)


class CannotImport(Refusal):
    """Refused; nothing is written. `code` is one of its sentences."""

    sentences: ClassVar = {
        "balances_moved": _(
            "Meanwhile other lines of this account came in, and the balances break elsewhere than shown. Upload the file again and look."
        ),
    }


def import_bank(
    *,
    rows: Sequence[BankRow],
    name: str,
    layout: str,
    by: Any,
    at: datetime,
    breaks_seen: Collection[str] | None = None,
) -> Imported:
    """This function will post the lines of a bank file that are not stored yet, in file order.

    1. Leave out what is stored: the n-th equal line of the file is the n-th stored.
    2. Match each incoming line to a lease, propose one, or leave it in suspense.
    3. Post each line under its own entry, dated the bank's day, and keep all its columns.

    `breaks_seen`: the marks of the breaks of balances that a person looked at and takes; None where nobody is
    asked, as money that the bank moved is posted whatever its order of arrival (rules.md section 8).
    Raises CannotImport: balances_moved, when there is a break that was not seen.
    """
    with transaction.atomic():
        hold_journal_open()
        leases = dict(Lease.objects.values_list("code", "id"))
        file = None
        tally: Counter[str] = Counter()
        if breaks_seen is not None and {one.mark for one in breaks_of(rows)} - set(breaks_seen):
            raise CannotImport("balances_moved")
        for verdict in judge(rows, leases):
            if verdict.repeated:
                tally["repeated"] += 1
                continue
            if file is None:
                file = BankFile.objects.create(
                    name=name, layout=layout, sha256=_sha256(rows), imported_at=at, imported_by=name_of(by)
                )
            line = _store(verdict.row, file, state=verdict.state, lease=verdict.lease, at=at)
            Receipt.objects.create(
                bank_line=line,
                state=verdict.state,
                lease_id=leases[verdict.lease] if verdict.lease else None,
                month=verdict.month,
            )
            tally["new"] += 1
            tally[verdict.state] += 1
        if file is not None:
            record(by=by, at=at, action="import_bank", subject=name[:80], detail=dict(tally), channel="file")
    return _told(tally)


def _told(tally: Counter[str]) -> Imported:
    return Imported(
        tally["new"],
        tally["repeated"],
        tally[Receipt.State.MATCHED],
        tally[Receipt.State.PROPOSED],
        tally[Receipt.State.SUSPENSE],
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one line of a file: stored before, or how its receipt will stand."""

    row: BankRow
    repeated: bool = False
    state: str = ""
    lease: str | None = None
    month: date | None = None


def judge(rows: Sequence[BankRow], leases: dict[str, int]) -> Iterator[Verdict]:
    """What becomes of each line, in file order; nothing is written. `leases` are ids by code."""
    stored = _stored(rows)
    dues = Dues()
    names = Counter(Operator.objects.values_list("name", flat=True))
    operators = {
        name: code for name, code in Operator.objects.values_list("name", "code") if names[name] == 1
    }
    for row in rows:
        if row.occurrence <= stored[row.fingerprint]:
            yield Verdict(row, repeated=True)
        else:
            state, lease, month = _verdict(row, leases, operators, dues)
            yield Verdict(row, False, state, lease, month)


def breaks_of(rows: Sequence[BankRow]) -> list[Break]:
    """Where the balances of the lines that are new would break, among themselves and with what is stored."""
    stored = _stored(rows)
    return breaks_around([row for row in rows if row.occurrence > stored[row.fingerprint]])


def preview_bank(rows: Sequence[BankRow]) -> tuple[Imported, list[Verdict]]:
    """This function will tell what importing these lines would do, and write nothing."""
    verdicts = list(judge(rows, dict(Lease.objects.values_list("code", "id"))))
    tally = Counter(verdict.state or "repeated" for verdict in verdicts)
    tally["new"] = len(verdicts) - tally["repeated"]
    return _told(tally), verdicts


def _stored(rows: Sequence[BankRow]) -> Counter[str]:
    """How many lines of each fingerprint are stored."""
    fingerprints = {row.fingerprint for row in rows}
    return Counter(
        BankLine.objects.filter(fingerprint__in=fingerprints).values_list("fingerprint", flat=True)
    )


def _sha256(rows: Sequence[BankRow]) -> str:
    return hashlib.sha256("\n".join(row.fingerprint for row in rows).encode()).hexdigest()


def _verdict(
    row: BankRow, leases: dict[str, int], operators: dict[str, str], dues: Dues
) -> tuple[str, str | None, date | None]:
    if row.direction == "out":
        return Receipt.State.SUSPENSE, None, None
    operator = operators.get(row.counterparty_name.strip())
    verdict = match(
        summary=row.summary,
        purpose=row.purpose,
        payer=row.counterparty_name,
        amount=row.amount,
        known_codes=leases.keys(),
        operator_by_name=operators,
        # Looked at only where no code decides: an import is not lines times dues.
        open_dues=dues.of(operator) if operator else (),
    )
    if isinstance(verdict, Matched):
        dues.take(verdict.lease, row.amount)
        return Receipt.State.MATCHED, verdict.lease, None
    if isinstance(verdict, Proposed):
        dues.propose(verdict.lease, verdict.month, row.amount)
        return Receipt.State.PROPOSED, verdict.lease, verdict.month
    return Receipt.State.SUSPENSE, None, None


def _store(row: BankRow, file: BankFile, *, state: str, lease: str | None, at: datetime) -> BankLine:
    if row.direction == "out":
        move = Move(chart.SUSPENSE_PAYMENTS, chart.BANK_RENT, row.amount)
    elif state == Receipt.State.MATCHED and lease:
        move = Move(chart.BANK_RENT, chart.receivable_rent(lease), row.amount)
    else:
        move = Move(chart.BANK_RENT, chart.SUSPENSE_RECEIPTS, row.amount)
    entry = post(
        key=f"bank:{row.fingerprint[:32]}:{row.occurrence}",
        kind="bank",
        dated_on=day_of(row.booked_at),
        at=at,
        moves=[move],
    )
    return BankLine.objects.create(
        file=file,
        line=row.line,
        fingerprint=row.fingerprint,
        occurrence=row.occurrence,
        account=row.account,
        booked_at=row.booked_at,
        direction=row.direction,
        amount=row.amount,
        counterparty=row.counterparty_name,
        counterparty_account=row.counterparty_account,
        summary=row.summary,
        purpose=row.purpose,
        balance=row.balance,
        columns=row.columns,
        entry=entry,
    )
