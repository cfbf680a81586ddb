"""What a lease's running month will say: the same reckoning as its statement, before anything is drawn up. Pure.

Every open month before it is taken as if it were approved as it stands now. Reading changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ledger.journal.queries import next_month
from ledger.money import ZERO, to_fen
from providers.leases import schedule
from vouchers.settlement.reckon import Figures, LeaseFacts, Month, Sums, reckon


def expected(
    *, lease: LeaseFacts, month: date, first_open: date, sums: Sums, history: Sequence[Month]
) -> Figures:
    """The figures of `month` as of now. Counts of redemptions are those of all open months together.

    `sums` are the claims on no statement up to the end of `month`, `history` the approved months;
    `first_open` is the first month that is not locked. What was served before it counts there as late.
    """
    past = list(history)
    first = running = min(first_to_approve(past, first_open), month)
    while running < month:
        own = _of(sums, running, first)
        done = reckon(lease=lease, month=running, sums=own, history=past)
        past.append(Month(running, done.credit, done.applied))
        running = next_month(running)
    return reckon(lease=lease, month=month, sums=_of(sums, month, first), history=past)


def first_to_approve(history: Sequence[Month], first_open: date) -> date:
    """The month whose statement will take what was served before it, as late, and what was reversed since."""
    return max([first_open, *(next_month(done.month) for done in history[-1:])])


def _of(sums: Sums, month: date, first: date) -> Sums:
    """The part of `sums` that the statement of `month` takes; the first open month takes all that is older."""
    first_takes = month == first
    return Sums(
        counted={
            served: value
            for served, value in sums.counted.items()
            if served == month or (first_takes and served < month)
        },
        taken_back=sums.taken_back if first_takes else {},
        redemptions=sums.redemptions,
        held=sums.held,
    )


@dataclass(frozen=True, slots=True)
class Forecast:
    """Yuan. `room` is credit that would still be offset this month, `more` what the rest of the month brings at
    its pace so far, `applied` and `carry_out` what the statement would then say."""

    room: Decimal
    more: Decimal
    applied: Decimal
    carry_out: Decimal


def forecast(*, lease: LeaseFacts, month: date, figures: Figures, today: date) -> Forecast:
    """Where the month goes if each day to come brings what a day has brought so far; `today` counts as gone."""
    last = schedule.last_day(month)
    gone = (min(today, last) - month).days + 1
    rate = schedule.terms_on(lease.terms, last).offset_rate
    more = to_fen(figures.earned * rate * (last.day - gone) / gone) if gone > 0 else ZERO
    available = figures.available + more
    applied = min(available, figures.cap)
    return Forecast(
        room=max(ZERO, figures.cap - figures.available),
        more=more,
        applied=applied,
        carry_out=available - applied,
    )
