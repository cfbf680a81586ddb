"""What the bench stands on: its bulk-loaded history is what the operation would have written, and bars can fail."""

import pytest

from ledger.models import Entry, Record, Transfer
from tests import databases
from tests.bench import ground, history
from tests.bench.measure import Bar, Series, paired
from vouchers.models import Claim, Movement, Redemption, Voucher
from vouchers.redemption.operations import RedemptionOrder, redeem

OWN = {"id", "pk", "key", "request", "by", "recorded_at", "happened_at", "at", "subject", "link"}


@pytest.fixture
def city(fresh_db, monkeypatch):
    monkeypatch.setattr(ground, "PREMISES", 4)
    ground.build(fresh_db, elders=8)
    ground.issue_month(ground.JANUARY)
    return fresh_db


def test_loaded_history_is_what_the_operation_writes(city):
    assert history.load(city, ground.JANUARY) == 8 * history.MEALS_A_MONTH
    history.prove_sound()
    loaded = Redemption.objects.order_by("id").first()
    redeem(
        order=RedemptionOrder(
            key="by the operation",
            happened_at=loaded.happened_at,
            premises=loaded.lease.premises.code,
            service=ground.SERVICE,
            elder=loaded.elder.code,
            quantity=1,
            channel="qr",
        ),
        by=ground.BY,
        at=loaded.recorded_at,
    )
    assert rows_of(Redemption.objects.order_by("id").last()) == rows_of(loaded)
    history.prove_sound()


def rows_of(redemption: Redemption) -> list[dict]:
    """All rows of a redemption without their own numbers and keys."""
    entry = Entry.objects.filter(id=redemption.entry_id)
    rows = [
        *Redemption.objects.filter(id=redemption.id).values(),
        *entry.values(),
        *Transfer.objects.filter(entry__in=entry).order_by("line").values(),
        *Movement.objects.filter(redemption=redemption).values(),
        *Claim.objects.filter(redemption=redemption).values(),
        *Record.objects.filter(subject=redemption.number).values(),
    ]
    assert len(rows) == 7
    links = {"entry_id", "redemption_id"}
    return [{name: value for name, value in row.items() if name not in OWN | links} for row in rows]


def test_control_a_history_that_is_wrong_is_refused(city):
    history.load(city, ground.JANUARY)
    with databases.superuser(city) as connection:
        connection.execute("UPDATE vouchers_voucher SET remaining = remaining - 1 WHERE id = 1")
    with pytest.raises(SystemExit, match="verify_ledger finds"):
        history.prove_sound()


def test_elders_pay_with_the_voucher_that_the_place_asks_for(city):
    """Spread over the city by the premises' own programme; on one premises by the town's."""
    for elder, premises, programme in ((1, 2, "P00002"), (1, 1, ground.TOWN)):
        order = RedemptionOrder(
            key=f"{premises}",
            happened_at=ground.at_noon(ground.JANUARY),
            premises=ground.premises_code(premises),
            service=ground.SERVICE,
            elder=ground.elder_code(elder),
            quantity=1,
        )
        receipt = redeem(order=order, by=ground.BY, at=ground.at_noon(ground.JANUARY))
        assert [paid[1] for paid in receipt.spent] == [programme]
        assert Transfer.objects.filter(entry__link=receipt.number).count() == 2
    assert Voucher.objects.count() == 8 * (ground.PER_ELDER + 1)


def test_bars():
    fast, slow = Series([1, 20, 30]), Series([10, 10, 10])
    assert paired(fast, slow) == 2 and fast.spread == "-95% +50%"
    assert Bar("", 2.0, 1.9).met and not Bar("", 1.8, 1.9).met
    assert Bar("", 0.1, 0.4, least=False).met and not Bar("", 0.5, 0.4, least=False).met
    assert Bar("", 0.5, 0.4, least=False).row[-1] == "FAIL"
