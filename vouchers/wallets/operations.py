"""Setting vouchers aside and back, expiring and voiding what is left (rules.md sections 5 and 6)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Count, Sum

from ledger import chart
from ledger.audit.operations import record
from ledger.journal.models import Entry
from ledger.journal.operations import Move, hold_journal_open, post
from ledger.journal.queries import day_of
from ledger.money import ZERO
from vouchers.wallets.allocate import Line
from vouchers.wallets.models import Hold, HoldLine, Movement, Voucher

Kind = Movement.Kind


class Return(NamedTuple):
    """`amount` yuan that comes back into what remains of a voucher."""

    voucher_id: int
    amount: Decimal


def closes_as(voucher: Voucher, day: date) -> str:
    """What becomes at once of value given back to a voucher on `day` (rules.md section 6); empty where it can be
    spent again. Reads the voucher's elder."""
    if voucher.voided_on is not None or voucher.elder.died_on is not None:
        return Kind.VOID
    return Kind.EXPIRE if voucher.valid_until < day else ""


def put_back(
    *,
    returns: Sequence[Return],
    kind: str,
    day: date,
    at: datetime,
    entry: Entry,
    key: str,
    link: str,
    redemption: Any = None,
    hold: Hold | None = None,
) -> None:
    """This function will give value back to vouchers, under an entry already posted.

    1. Lock the vouchers by id; raise `remaining` (from `held` where a hold is released).
    2. Where the voucher is voided or its elder known dead, void at once; where it is past its validity on
       `day`, expire at once, in one entry with `key`.
    """
    amounts: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for back in returns:
        amounts[back.voucher_id] += back.amount
    if not amounts:
        return
    vouchers = list(
        Voucher.objects.select_for_update(of=["self"])
        .select_related("programme", "elder")
        .filter(id__in=amounts)
        .order_by("id")
    )
    closing: list[tuple[Voucher, str, Decimal]] = []
    rows = []
    for voucher in vouchers:
        amount = amounts[voucher.id]
        rows.append(
            Movement(voucher=voucher, kind=kind, amount=amount, entry=entry, redemption=redemption, hold=hold)
        )
        if kind == Kind.RELEASE:
            voucher.held -= amount
        closes = closes_as(voucher, day)
        if closes:
            closing.append((voucher, closes, amount))
        else:
            voucher.remaining += amount
            voucher.expired_on = None
    if closing:
        closed = post(
            key=key,
            kind="closing",
            dated_on=day,
            at=at,
            moves=_closing_moves((voucher.programme.code, kind, amount) for voucher, kind, amount in closing),
            link=link,
        )
        rows += [
            Movement(
                voucher=voucher, kind=kind, amount=amount, entry=closed, redemption=redemption, hold=hold
            )
            for voucher, kind, amount in closing
        ]
    Movement.objects.bulk_create(rows)
    Voucher.objects.bulk_update(vouchers, ["remaining", "held", "expired_on"])


def _closing_moves(parts: Iterable[tuple[str, str, Decimal]]) -> list[Move]:
    """Outstanding to Expired or Voided, summed by programme and kind."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for programme, kind, amount in parts:
        sums[programme, kind] += amount
    target = {Kind.EXPIRE: chart.vouchers_expired, Kind.VOID: chart.vouchers_voided}
    return [
        Move(chart.vouchers_outstanding(programme), target[Kind(kind)](programme), amount)
        for (programme, kind), amount in sorted(sums.items())
    ]


def _sum_by_programme(lines: Iterable[HoldLine], amounts: dict[int, Decimal]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        sums[line.voucher.programme.code] += amounts.get(line.voucher_id, ZERO)
    return sums


def set_aside(*, hold: Hold, lines: Sequence[Line], at: datetime) -> None:
    """This function will hold what these lines take of their vouchers, which the caller has locked."""
    if not lines:
        return
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        sums[line.programme] += line.amount
    entry = post(
        key=f"hold:{hold.id}",
        kind="hold",
        dated_on=day_of(at),
        at=at,
        moves=[
            Move(chart.vouchers_outstanding(programme), chart.vouchers_held(programme), amount)
            for programme, amount in sorted(sums.items())
        ],
        link=f"HD-{hold.id:09d}",
    )
    HoldLine.objects.bulk_create(
        HoldLine(hold=hold, voucher_id=line.voucher_id, amount=line.amount) for line in lines
    )
    Movement.objects.bulk_create(
        Movement(voucher_id=line.voucher_id, kind=Kind.HOLD, amount=line.amount, entry=entry, hold=hold)
        for line in lines
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE vouchers_voucher v SET remaining = v.remaining - line.amount, held = v.held + line.amount
            FROM unnest(%s::bigint[], %s::numeric[]) AS line(id, amount) WHERE v.id = line.id
            """,
            [[line.voucher_id for line in lines], [line.amount for line in lines]],
        )
    hold.entry = entry
    hold.save(update_fields=["entry"])


def take_from_hold(*, hold: Hold, used: dict[int, Decimal], by: Any, at: datetime) -> None:
    """Close a hold as delivered: what the delivery did not use of it is released. The hold is locked."""
    rest = {
        line.voucher_id: line.amount - used.get(line.voucher_id, ZERO)
        for line in hold.lines.all()
        if line.amount > used.get(line.voucher_id, ZERO)
    }
    _close(hold=hold, state=Hold.State.DELIVERED, rest=rest, day=day_of(at), at=at)


def release(*, hold: Hold, by: Any, at: datetime, reason: str, day: date | None = None) -> bool:
    """This function will release what an open order set aside; False when it was closed before.

    Value released past its validity expires at once, of a voided voucher it is voided at once. `day` is
    the day in the books, the day of `at` unless given (a death gives its own).
    """
    with transaction.atomic():
        hold_journal_open()
        hold = Hold.objects.select_related("elder").get(id=hold.id)
        type(hold.elder).objects.select_for_update(no_key=True).get(id=hold.elder_id)
        hold = Hold.objects.select_for_update().get(id=hold.id)
        if hold.state != Hold.State.OPEN:
            return False
        rest = {line.voucher_id: line.amount for line in hold.lines.all()}
        _close(hold=hold, state=Hold.State.RELEASED, rest=rest, day=day or day_of(at), at=at)
        record(by=by, at=at, action="release", subject=hold.key, detail={"reason": reason})
    return True


def _close(*, hold: Hold, state: str, rest: dict[int, Decimal], day: date, at: datetime) -> None:
    if rest:
        lines = hold.lines.select_related("voucher__programme")
        entry = post(
            key=f"release:{hold.key}",
            kind="release",
            dated_on=day,
            at=at,
            moves=[
                Move(chart.vouchers_held(programme), chart.vouchers_outstanding(programme), amount)
                for programme, amount in sorted(_sum_by_programme(lines, rest).items())
            ],
            link=f"HD-{hold.id:09d}",
        )
        put_back(
            returns=[Return(voucher_id, amount) for voucher_id, amount in rest.items()],
            kind=Kind.RELEASE,
            day=day,
            at=at,
            entry=entry,
            key=f"close:{hold.key}",
            link=f"HD-{hold.id:09d}",
            hold=hold,
        )
    hold.state = state
    hold.closed_at = at
    hold.save(update_fields=["state", "closed_at"])


def expiring(*, on: date) -> dict[str, tuple[int, Decimal]]:
    """What `expire` on that day would find: {programme code: (vouchers with something left, yuan)}."""
    past = Voucher.objects.filter(expired_on=None, valid_until__lt=on, remaining__gt=0)
    found = past.order_by().values_list("programme__code").annotate(Count("id"), Sum("remaining"))
    return {code: (count, value) for code, count, value in found.order_by("programme__code")}


def expire(*, on: date, by: Any, at: datetime) -> dict[str, tuple[int, Decimal]]:
    """This function will expire what is left of vouchers whose validity ended before `on`.

    One entry for each programme, dated `on`; what is held stays held. Run again it finds nothing.
    Returns {programme code: (vouchers with something left, yuan)}.
    """
    with transaction.atomic():
        hold_journal_open()
        with connection.cursor() as cursor:
            # Locked by id, as redemptions lock them; empty vouchers are closed in passing.
            cursor.execute(
                """
                CREATE TEMP TABLE expiring ON COMMIT DROP AS
                SELECT id, programme_id, remaining FROM vouchers_voucher
                WHERE expired_on IS NULL AND valid_until < %s ORDER BY id FOR UPDATE
                """,
                [on],
            )
            cursor.execute(
                """
                SELECT p.code, x.programme_id, count(*), sum(x.remaining)
                FROM expiring x JOIN vouchers_programme p ON p.id = x.programme_id
                WHERE x.remaining > 0 GROUP BY p.code, x.programme_id ORDER BY p.code
                """
            )
            found = cursor.fetchall()
        done = {}
        for code, programme_id, count, value in found:
            with connection.cursor() as cursor:
                cursor.execute("SELECT nextval('ledger_entry_id_seq')")
                run = cursor.fetchone()[0]
            entry = post(
                key=f"expire:{code}:{on}:{run}",
                kind="expiry",
                dated_on=on,
                at=at,
                moves=[Move(chart.vouchers_outstanding(code), chart.vouchers_expired(code), value)],
            )
            with connection.cursor() as cursor:
                cursor.execute(
                    """
                    INSERT INTO vouchers_movement (voucher_id, kind, amount, entry_id)
                    SELECT id, 'expire', remaining, %s FROM expiring WHERE programme_id = %s AND remaining > 0
                    ORDER BY id
                    """,
                    [entry.id, programme_id],
                )
            done[code] = (count, value)
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE vouchers_voucher v SET remaining = 0, expired_on = %s FROM expiring x WHERE x.id = v.id
                """,
                [on],
            )
            cursor.execute("DROP TABLE expiring")
        if done:
            record(
                by=by,
                at=at,
                action="expire",
                subject=f"{on}",
                detail={code: [count, str(value)] for code, (count, value) in done.items()},
                channel="run",
            )
    return done


def void(*, vouchers: Sequence[Voucher], on: date, kind: str, key: str, by: Any, at: datetime) -> Decimal:
    """This function will void what is left of these vouchers (locked by the caller, programme selected).

    A death (`void_death`) is dated by the latest of `on` and the day each was issued, one entry for each such
    day; fraud by `on`, the day of the decision. All are marked voided, empty ones too, so that what comes back
    to them later is voided at once. Returns yuan voided.
    """
    total = ZERO
    by_day: dict[date, list[Voucher]] = defaultdict(list)
    for voucher in vouchers:
        if voucher.remaining > 0:
            by_day[max(on, voucher.valid_from) if kind == "void_death" else on].append(voucher)
    for day, some in sorted(by_day.items()):
        entry = post(
            key=f"{key}:{day}",
            kind=kind,
            dated_on=day,
            at=at,
            moves=_closing_moves((voucher.programme.code, Kind.VOID, voucher.remaining) for voucher in some),
        )
        Movement.objects.bulk_create(
            Movement(voucher=voucher, kind=Kind.VOID, amount=voucher.remaining, entry=entry)
            for voucher in some
        )
        total += sum((voucher.remaining for voucher in some), ZERO)
    for voucher in vouchers:
        voucher.voided_on = on
        voucher.remaining = ZERO
    Voucher.objects.bulk_update(vouchers, ["remaining", "voided_on"])
    return total
