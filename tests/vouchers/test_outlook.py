"""What the office is told of a running month is what its statement will say."""

from datetime import date
from decimal import Decimal

import pytest

from providers.leases.schedule import TermsRow
from vouchers.settlement.outlook import expected, forecast
from vouchers.settlement.reckon import LeaseFacts, Month, Sums, reckon

JAN, FEB, MAR = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
LEASE = LeaseFacts(
    1,
    "LS01",
    JAN,
    date(2027, 12, 31),
    [TermsRow(JAN, Decimal(3100), None, Decimal("0.5"), Decimal("0.4"), 2)],
)
YUAN = Decimal


def figures(month, sums, history=(), first_open=None):
    return expected(
        lease=LEASE, month=month, first_open=first_open or month, sums=sums, history=list(history)
    )


def test_alone_it_is_the_statement_itself():
    sums = Sums({FEB: YUAN(100), JAN: YUAN(7)}, {JAN: YUAN(3)}, redemptions=9)
    past = [Month(JAN, YUAN(50), YUAN(40))]
    assert figures(FEB, sums, past) == reckon(lease=LEASE, month=FEB, sums=sums, history=past)


def test_an_open_month_before_is_taken_as_it_stands():
    """January is drawn up and waits: what it will leave is carried into February, and its claims stay with it."""
    sums = Sums({JAN: YUAN(3000), FEB: YUAN(100)}, {})
    now = figures(FEB, sums, first_open=JAN)
    january = reckon(lease=LEASE, month=JAN, sums=Sums({JAN: YUAN(3000)}, {}), history=[])
    assert january.carry_out == YUAN(260)  # 1500 of credit, 1240 within the cap
    assert (now.carry_in, now.earned, now.late, now.credit) == (YUAN(260), YUAN(100), YUAN(0), YUAN(50))
    assert now.applied == YUAN(310)


def test_a_lease_whose_january_is_approved_while_others_wait():
    past = [Month(JAN, YUAN(1500), YUAN(1240))]
    now = figures(FEB, Sums({FEB: YUAN(100), JAN: YUAN(8)}, {JAN: YUAN(6)}), past, first_open=JAN)
    assert (now.carry_in, now.late, now.reversed, now.credit) == (YUAN(260), YUAN(8), YUAN(6), YUAN(51))


def test_two_open_months_chain():
    sums = Sums({JAN: YUAN(3000), FEB: YUAN(3000), MAR: YUAN(20)}, {})
    now = figures(MAR, sums, first_open=JAN)
    assert now.carry_in == YUAN(260) + YUAN(1500) - YUAN(1240)
    assert now.credit == YUAN(10)


@pytest.mark.parametrize(
    ("day", "more"),
    [(date(2026, 2, 14), "50.00"), (date(2026, 2, 28), "0.00"), (date(2026, 3, 5), "0.00"), (FEB, "1350.00")],
)
def test_the_pace_so_far_goes_on(day, more):
    now = figures(FEB, Sums({FEB: YUAN(100)}, {}))
    ahead = forecast(lease=LEASE, month=FEB, figures=now, today=day)
    assert ahead.more == YUAN(more)
    assert ahead.room == YUAN(1190)  # cap 1240 less 50 available
    assert ahead.applied == min(YUAN(1240), YUAN(50) + YUAN(more))
    assert ahead.applied + ahead.carry_out == YUAN(50) + YUAN(more)
