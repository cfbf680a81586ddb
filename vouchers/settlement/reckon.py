"""The figures of a lease's month (rules.md section 7). Pure: terms, sums and earlier months in, figures out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from ledger.money import ZERO, to_fen
from providers.leases import schedule
from providers.leases.schedule import TermsRow


class Month(NamedTuple):
    """What an approved month did to the credit: `credit` may be negative, `applied` too."""

    month: date
    credit: Decimal
    applied: Decimal


class Layer(NamedTuple):
    """What is left of the credit that `month` earned, in yuan."""

    month: date
    left: Decimal


@dataclass(frozen=True, slots=True)
class LeaseFacts:
    """A lease as its months are reckoned; `terms` in order of start."""

    id: int
    code: str
    starts_on: date
    ends_on: date
    terms: Sequence[TermsRow]

    def in_force_in(self, month: date) -> bool:
        return self.starts_on <= schedule.last_day(month) and month <= self.ends_on


@dataclass(frozen=True, slots=True)
class Sums:
    """Voucher value by service month, in yuan, with how many claims stand behind it.

    `counted` is what earned and late count, `taken_back` what stood on an earlier statement and has been
    reversed since, `held` how many are held back. The marks change whenever the claims behind them do.
    """

    counted: Mapping[date, Decimal]
    taken_back: Mapping[date, Decimal]
    redemptions: int = 0
    held: int = 0
    counted_mark: int = 0
    taken_back_mark: int = 0


NOTHING = Sums({}, {})


@dataclass(frozen=True, slots=True)
class Figures:
    """One statement, in the order of rules.md section 7. Yuan; counts at the end."""

    charge: Decimal
    carry_in: Decimal
    earned: Decimal
    late: Decimal
    reversed: Decimal
    credit: Decimal
    lapsed: Decimal
    available: Decimal
    cap: Decimal
    applied: Decimal
    carry_out: Decimal
    cash_due: Decimal
    redemptions: int
    under_review: int

    @property
    def is_empty_after_the_end(self) -> bool:
        return not (self.earned or self.late or self.reversed or self.lapsed)


def carry(lease: LeaseFacts, history: Iterable[Month], month: date) -> tuple[list[Layer], Decimal]:
    """What is left of earlier months' credit when `month` begins, oldest first, and what lapses with it.

    `history` are the approved months before, in order. Credit of month m lapses in the first month later
    than m + carry_months of the terms that earned it.
    """
    layers: list[Layer] = []
    for past in history:
        layers, _lapsed = _lapse(lease, layers, past.month)
        if past.credit > 0:
            layers = [*layers, Layer(past.month, past.credit)]
        else:
            layers = _use(layers, -past.credit)
        if past.applied > 0:
            layers = _use(layers, past.applied)
    return _lapse(lease, layers, month)


def _lapse(lease: LeaseFacts, layers: list[Layer], month: date) -> tuple[list[Layer], Decimal]:
    kept, lapsed = [], ZERO
    for layer in layers:
        months = schedule.terms_on(lease.terms, layer.month).carry_months
        if schedule.months_between(layer.month, month) > months:
            lapsed += layer.left
        else:
            kept.append(layer)
    return kept, lapsed


def _use(layers: list[Layer], amount: Decimal) -> list[Layer]:
    """Take `amount` from the layers, oldest first; more than there is empties them."""
    rest = []
    for layer in layers:
        taken = min(layer.left, amount)
        amount -= taken
        if layer.left > taken:
            rest.append(Layer(layer.month, layer.left - taken))
    return rest


def credit_of(lease: LeaseFacts, sums: Sums) -> Decimal:
    """Each value times the rate in force on its service date, summed, half up once. Terms change only with
    a month, so months of service are rated whole."""
    total = Decimal(0)
    for values, sign in ((sums.counted, 1), (sums.taken_back, -1)):
        for month, value in values.items():
            total += sign * value * schedule.terms_on(lease.terms, month).offset_rate
    return to_fen(total)


def reckon(*, lease: LeaseFacts, month: date, sums: Sums, history: Sequence[Month]) -> Figures:
    """All figures of one lease and month; `history` are its approved months before, in order."""
    terms = schedule.terms_on(lease.terms, schedule.last_day(month))
    charge = schedule.charge(
        starts_on=lease.starts_on, ends_on=lease.ends_on, terms=terms, month=month
    ).amount
    layers, lapsed = carry(lease, history, month)
    carry_in = sum((layer.left for layer in layers), ZERO)
    earned = sums.counted.get(month, ZERO)
    late = sum(sums.counted.values(), ZERO) - earned
    credit = credit_of(lease, sums)
    available = carry_in + credit
    cap = schedule.cap(charge, terms)
    applied = min(available, cap)
    return Figures(
        charge=charge,
        carry_in=carry_in,
        earned=earned,
        late=late,
        reversed=sum(sums.taken_back.values(), ZERO),
        credit=credit,
        lapsed=lapsed,
        available=available,
        cap=cap,
        applied=applied,
        carry_out=available - applied,
        cash_due=charge - applied,
        redemptions=sums.redemptions,
        under_review=sums.held,
    )
