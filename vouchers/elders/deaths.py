"""A death learnt, early or late, and one entered by mistake (rules.md section 6)."""

from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from ledger import chart
from ledger.audit.operations import name_of, record
from ledger.journal.operations import Move, hold_journal_open, post
from ledger.journal.queries import day_of
from ledger.money import ZERO
from vouchers.elders.models import Elder
from vouchers.redemption.models import Redemption
from vouchers.settlement.models import ReviewCase
from vouchers.wallets.models import Hold, Movement, Voucher
from vouchers.wallets.operations import release, void


class NoSuchDeath(Exception):
    """There is no death on record that could be corrected."""

    def __str__(self) -> str:
        return _("The register holds no death of this person: there is nothing to correct.")


def learn_death(*, elder: Elder, died_on: date, by: Any, at: datetime) -> None:
    """This function will note an elder's death and draw what follows from it, on every record of the person.

    1. Wait for an issue in flight, whose vouchers are not to be seen yet; lock the person's records.
    2. Write the day; cancel open orders; what they held is voided.
    3. Void what is left of the vouchers, also what is past its validity and not yet expired.
    4. Hold back for review what was redeemed on or after that day.

    A death that is known already is left as it is.
    """
    with transaction.atomic():
        hold_journal_open()
        wait_for_issues()
        for one in lock_person(elder):
            if one.died_on is None:
                _learn(one, died_on, by=by, at=at)


def lock_person(elder: Elder) -> list[Elder]:
    """The records of this person, locked in one order."""
    return list(Elder.objects.of_person(elder).select_for_update(no_key=True).order_by("id"))


def wait_for_issues() -> None:
    """An issue holds its programme's row until it ends; the next one then sees what this transaction writes.

    Before any elder is locked: an issue locks the elders whose death it finds.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM vouchers_programme ORDER BY id FOR SHARE")


def _learn(elder: Elder, died_on: date, *, by: Any, at: datetime) -> None:
    elder.died_on = died_on
    elder.save(update_fields=["died_on"])
    for hold in Hold.objects.filter(elder=elder, state=Hold.State.OPEN).order_by("id"):
        issued = max(
            (line.voucher.valid_from for line in hold.lines.select_related("voucher")), default=died_on
        )
        day = max(died_on, issued, day_of(hold.placed_at))
        release(hold=hold, by=by, at=at, reason="death", day=day)
    void_of_dead(elder=elder, by=by, at=at)
    late = Redemption.objects.filter(elder=elder, service_on__gte=died_on, reversed_on=None)
    ReviewCase.objects.bulk_create(
        ReviewCase(
            redemption=redemption,
            reason=ReviewCase.Reason.AFTER_DEATH,
            facts={"died_on": died_on.isoformat()},
            opened_at=at,
        )
        for redemption in late.order_by("id")
    )
    record(by=by, at=at, action="learn_death", subject=elder.code, detail={"died_on": died_on.isoformat()})


def void_of_dead(*, elder: Elder, by: Any, at: datetime) -> Decimal:
    """Void what is left of a dead elder's vouchers; the elder is locked and `died_on` known. Returns yuan."""
    assert elder.died_on is not None
    vouchers = list(
        Voucher.objects.select_for_update(of=["self"])
        .select_related("programme")
        .filter(elder=elder, expired_on=None, remaining__gt=0)
        .order_by("id")
    )
    serial = Movement.objects.filter(voucher__elder=elder, kind=Movement.Kind.VOID).count()
    return void(
        vouchers=vouchers,
        on=elder.died_on,
        kind="void_death",
        key=f"death:{elder.code}:{serial}",
        by=by,
        at=at,
    )


def correct_death(*, elder: Elder, by: Any, at: datetime, reason: str) -> None:
    """This function will undo a death that was entered by mistake, on every record of the person.

    1. Lock the records and clear the day.
    2. Mirror the voids it caused; value past its validity goes with the next expiry run.
    3. Lift the reviews that are still open. What was decided stays decided.

    Raises NoSuchDeath.
    """
    with transaction.atomic():
        hold_journal_open()
        records = [one for one in lock_person(elder) if one.died_on is not None]
        if all(one.pk != elder.pk for one in records):
            raise NoSuchDeath
        for one in records:
            _correct(one, by=by, at=at, reason=reason)


def _correct(elder: Elder, *, by: Any, at: datetime, reason: str) -> None:
    assert elder.died_on is not None
    died_on, elder.died_on = elder.died_on, None
    elder.save(update_fields=["died_on"])
    vouchers = list(
        Voucher.objects.select_for_update(of=["self"])
        .select_related("programme")
        .filter(elder=elder)
        .order_by("id")
    )
    voided = _voided_by_death(elder)
    back = [(voucher, voided[voucher.id]) for voucher in vouchers if voided.get(voucher.id)]
    if back:
        sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for voucher, amount in back:
            sums[voucher.programme.code] += amount
        entry = post(
            key=f"correct_death:{elder.code}:{at.isoformat()}",
            kind="correct_death",
            dated_on=day_of(at),
            at=at,
            moves=[
                Move(chart.vouchers_voided(code), chart.vouchers_outstanding(code), amount)
                for code, amount in sorted(sums.items())
            ],
        )
        Movement.objects.bulk_create(
            Movement(voucher=voucher, kind=Movement.Kind.UNVOID, amount=amount, entry=entry)
            for voucher, amount in back
        )
    for voucher, amount in back:
        voucher.remaining += amount
        voucher.expired_on = voucher.voided_on = None
    Voucher.objects.bulk_update(
        [voucher for voucher, _amount in back], ["remaining", "expired_on", "voided_on"]
    )
    ReviewCase.objects.filter(
        redemption__elder=elder, reason=ReviewCase.Reason.AFTER_DEATH, decision=""
    ).update(decision=ReviewCase.Decision.LIFTED, decided_at=at, decided_by=name_of(by), note=reason[:500])
    record(
        by=by,
        at=at,
        action="correct_death",
        subject=elder.code,
        detail={"died_on": died_on.isoformat(), "reason": reason},
    )


def _voided_by_death(elder: Elder) -> dict[int, Decimal]:
    """What stands voided by death of each of the elder's vouchers, in yuan; fraud's voids left out."""
    voided: dict[int, Decimal] = defaultdict(lambda: ZERO)
    kinds = [Movement.Kind.VOID, Movement.Kind.UNVOID]
    moves = Movement.objects.filter(voucher__elder=elder, kind__in=kinds).exclude(entry__kind="void_fraud")
    for movement in moves.order_by("id"):
        sign = 1 if movement.kind == Movement.Kind.VOID else -1
        voided[movement.voucher_id] += sign * movement.amount
    return voided
