"""The SQL of one redemption: two statements that lock and read (sent together), one that writes.

Set-based SQL stands here beside the operation because this path is the one that queues wait on. The
rules themselves are in judge.py and allocate.py.

Note [Lock order]: the journal (shared), then the elder, then vouchers by id, then claims. Whatever
posts takes them in this order, so two postings never wait for each other in a circle.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection
from psycopg.types.numeric import Int8

from ledger import chart
from ledger.money import ZERO
from vouchers.redemption.judge import ElderFacts, Judged, VoucherFacts
from vouchers.redemption.terms import Terms
from vouchers.wallets.allocate import Line

if TYPE_CHECKING:
    from vouchers.redemption.operations import RedemptionOrder

# The left join makes the journal's lock come first, and answers also when the elder is unknown.
LOCK = """
    SELECT journal.first_open, elder.id, elder.birth_on, elder.died_on
    FROM (SELECT ledger_first_open_day() AS first_open) AS journal
    LEFT JOIN LATERAL (
        SELECT id, birth_on, died_on FROM vouchers_elder WHERE code = %s FOR NO KEY UPDATE
    ) AS elder ON true
"""

FIND = "SELECT NULL::date, id, birth_on, died_on FROM vouchers_elder WHERE code = %s"

# What was had and what is held are read after the elder is locked: nobody adds to them meanwhile.
READ = """
    WITH elder AS (SELECT id FROM vouchers_elder WHERE code = %(elder)s),
    spendable AS (
        SELECT v.id, v.programme_id, v.valid_until, v.remaining
        FROM vouchers_voucher v
        WHERE v.elder_id = (SELECT id FROM elder) AND v.expired_on IS NULL AND v.remaining > 0
            AND v.valid_from <= %(on)s AND v.valid_until >= %(on)s
        ORDER BY v.id {lock})
    SELECT
        first.id,
        first.request,
        (SELECT version FROM providers_termsversion),
        (SELECT coalesce(sum(r.quantity), 0) FROM vouchers_redemption r
            WHERE r.elder_id = (SELECT id FROM elder) AND r.service_on = %(on)s
                AND r.service_id = %(service)s AND r.reversed_on IS NULL)
        + (SELECT coalesce(sum(h.quantity), 0) FROM vouchers_hold h
            WHERE h.elder_id = (SELECT id FROM elder) AND h.service_on = %(on)s
                AND h.service_id = %(service)s AND h.state = 'open' AND h.id IS DISTINCT FROM %(hold)s),
        nextval('ledger_entry_id_seq'),
        nextval('vouchers_redemption_id_seq'),
        (SELECT array_agg(id) FROM spendable),
        (SELECT array_agg(programme_id) FROM spendable),
        (SELECT array_agg(valid_until) FROM spendable),
        (SELECT array_agg(remaining) FROM spendable)
    FROM (VALUES (1)) AS one
    LEFT JOIN vouchers_redemption first ON first.key_scope = %(scope)s AND first.key = %(key)s
"""
READ_LOCKING = READ.format(lock="FOR UPDATE")
READ_ONLY = READ.format(lock="")

WRITE = """
    WITH entry AS (
        INSERT INTO ledger_entry (id, key, kind, dated_on, recorded_at, link)
        VALUES (%(entry)s, %(entry_key)s, 'redemption', %(dated_on)s, %(at)s, %(number)s)),
    transfers AS (
        INSERT INTO ledger_transfer (entry_id, line, debit_id, credit_id, commodity, amount)
        SELECT %(entry)s, t.line, t.debit, t.credit, t.commodity, t.amount
        FROM unnest(%(debits)s::bigint[], %(credits)s::bigint[], %(commodities)s::text[], %(moved)s::numeric[])
            WITH ORDINALITY AS t(debit, credit, commodity, amount, line)),
    redemption AS (
        INSERT INTO vouchers_redemption (
            id, key_scope, key, request, happened_at, service_on, recorded_at, lease_id, service_id, elder_id,
            quantity, channel, list_price, government, concession, charity, vouchers, self_pay, hold_id,
            entry_id, by)
        VALUES (
            %(redemption)s, %(scope)s, %(key)s, %(request)s, %(happened_at)s, %(service_on)s, %(at)s, %(lease)s,
            %(service)s, %(elder)s, %(quantity)s, %(channel)s, %(list_price)s, %(government)s, %(concession)s,
            %(charity)s, %(vouchers)s, %(self_pay)s, %(hold)s, %(entry)s, %(by)s)),
    spent AS (
        UPDATE vouchers_voucher v
        SET {pocket} = v.{pocket} - line.amount
        FROM unnest(%(voucher_ids)s::bigint[], %(amounts)s::numeric[]) AS line(id, amount)
        WHERE v.id = line.id
        RETURNING v.id, v.remaining),
    movements AS (
        INSERT INTO vouchers_movement (voucher_id, kind, amount, entry_id, redemption_id, hold_id)
        SELECT line.id, '{kind}', line.amount, %(entry)s, %(redemption)s, %(hold)s
        FROM unnest(%(voucher_ids)s::bigint[], %(amounts)s::numeric[]) AS line(id, amount)),
    claims AS (
        INSERT INTO vouchers_claim (redemption_id, lease_id, service_on, amount)
        SELECT %(redemption)s, c.lease, %(service_on)s, c.amount
        FROM unnest(%(claim_leases)s::bigint[], %(claim_amounts)s::numeric[]) AS c(lease, amount)),
    noted AS (
        INSERT INTO ledger_record (at, by, channel, action, subject, detail)
        VALUES (%(at)s, %(by)s, %(channel)s, 'redeem', %(number)s, %(detail)s::jsonb))
    SELECT id, remaining FROM spent
"""
WRITE_FREE = WRITE.format(pocket="remaining", kind="redeem")
WRITE_HELD = WRITE.format(pocket="held", kind="redeem_held")


class First(NamedTuple):
    """The redemption that used this key before."""

    id: int
    request: bytes


@dataclass(frozen=True, slots=True)
class Context:
    """`entry_id` and `redemption_id` are drawn for the rows to be written."""

    first_open: date | None
    elder: ElderFacts | None
    first: First | None
    terms_version: int
    vouchers: list[VoucherFacts]
    entry_id: int
    redemption_id: int


def lock_and_read(
    *,
    key_scope: str,
    key: str,
    elder: str,
    service_id: int | None,
    service_on: date,
    hold_id: int | None = None,
) -> Context:
    """Lock journal, elder and vouchers and read what the rules need. Inside a transaction; one round trip."""
    return _both(LOCK, READ_LOCKING, key_scope, key, elder, service_id, service_on, hold_id)


def read(*, elder: str, service_id: int | None, service_on: date) -> Context:
    """The same without any lock or key, for a quote."""
    return _both(FIND, READ_ONLY, "", "", elder, service_id, service_on, None)


def _both(
    first_sql: str,
    second_sql: str,
    key_scope: str,
    key: str,
    elder: str,
    service_id: int | None,
    service_on: date,
    hold_id: int | None,
) -> Context:
    connection.ensure_connection()
    with connection.connection.pipeline(), connection.cursor() as one, connection.cursor() as two:
        one.execute(first_sql, [elder])
        two.execute(
            second_sql,
            {
                "elder": elder,
                "on": service_on,
                "service": _id(service_id),
                "hold": _id(hold_id),
                "scope": key_scope,
                "key": key,
            },
        )
        row = one.fetchone()
        first_open, elder_id, birth_on, died_on = row or (None, None, None, None)
        first_id, request, version, had, entry_id, redemption_id, *columns = two.fetchone()
    return Context(
        first_open=first_open,
        elder=None if elder_id is None or birth_on is None else ElderFacts(elder_id, birth_on, died_on, had),
        first=None if first_id is None else First(first_id, bytes(request)),
        terms_version=version,
        vouchers=list(map(VoucherFacts._make, zip(*columns, strict=True))) if columns[0] else [],
        entry_id=entry_id,
        redemption_id=redemption_id,
    )


def nothing_to_keep() -> None:
    """This transaction only took locks: its commit need not wait for the disk."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")


def write(
    *,
    order: "RedemptionOrder",
    service_on: date,
    key_scope: str,
    judged: Judged,
    context: Context,
    known: Terms,
    by: str,
    at: datetime,
    hold_id: int | None = None,
) -> dict[int, Decimal]:
    """Write one redemption with all that belongs to it; what remains of each voucher that paid, by id."""
    assert context.elder is not None
    number = f"RD-{context.redemption_id:09d}"
    split = judged.split
    moves = list(_moves(judged, known, from_hold=hold_id is not None))
    claims = _claims(judged.lines, known)
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE_FREE if hold_id is None else WRITE_HELD,
            {
                "entry": Int8(context.entry_id),
                "entry_key": f"redeem:{number}",
                "dated_on": max(service_on, context.first_open) if context.first_open else service_on,
                "at": at,
                "number": number,
                "debits": _array(move[0] for move in moves),
                "credits": _array(move[1] for move in moves),
                "commodities": _array(move[2] for move in moves),
                "moved": _array(move[3] for move in moves),
                "redemption": Int8(context.redemption_id),
                "scope": key_scope,
                "key": order.key,
                "request": order.digest(),
                "happened_at": order.happened_at,
                "service_on": service_on,
                "lease": Int8(judged.lease.id),
                "service": Int8(judged.service.id),
                "elder": Int8(context.elder.id),
                "quantity": Int8(order.quantity),
                "channel": order.channel,
                "list_price": split.list_price,
                "government": split.government,
                "concession": split.concession,
                "charity": split.charity,
                "vouchers": split.vouchers,
                "self_pay": split.self_pay,
                "hold": _id(hold_id),
                "by": by,
                "voucher_ids": _array(line.voucher_id for line in judged.lines),
                "amounts": _array(line.amount for line in judged.lines),
                "claim_leases": _array(claims),
                "claim_amounts": _array(claims.values()),
                "detail": json.dumps({"vouchers": str(split.vouchers), "self_pay": str(split.self_pay)}),
            },
        )
        return dict(cursor.fetchall())


# Note [One plan]: the driver would send a small int as int2, a larger one as int4 or int8, and prepare the
# statement anew for each combination. One width for ids, and arrays as text, keep one plan a statement.


def _id(value: int | None) -> Int8 | None:
    return None if value is None else Int8(value)


def _array(values: Iterable[object]) -> str:
    """A PostgreSQL array of numbers or plain words."""
    return "{" + ",".join(map(str, values)) + "}"


def _moves(judged: Judged, known: Terms, *, from_hold: bool) -> list[tuple[int, int, str, Decimal]]:
    """The transfers of the entry: (debit, credit, commodity, amount), rules.md section 4."""
    payable = judged.lease.operator.payable
    moves = []
    for programme_id, amount in _by_programme(judged.lines).items():
        programme = known.programmes[programme_id]
        source = programme.held if from_hold else programme.outstanding
        moves.append((source, programme.redeemed, chart.VCY, amount))
        if programme.settlement == "payout":
            moves.append((programme.expense, payable, chart.CNY, amount))
    if judged.split.government:
        moves.append((known.subsidy, payable, chart.CNY, judged.split.government))
    if judged.split.charity:
        moves.append((known.charity, payable, chart.CNY, judged.split.charity))
    return moves


def _claims(lines: list[Line], known: Terms) -> dict[int, Decimal]:
    """What the redemption earns for each lease: the value of that lease's offset programmes."""
    claims: dict[int, Decimal] = {}
    for programme_id, amount in _by_programme(lines).items():
        programme = known.programmes[programme_id]
        if programme.settlement == "offset" and programme.lease is not None:
            claims[programme.lease.id] = claims.get(programme.lease.id, ZERO) + amount
    return claims


def _by_programme(lines: list[Line]) -> dict[int, Decimal]:
    amounts: dict[int, Decimal] = {}
    for line in lines:
        amounts[line.programme_id] = amounts.get(line.programme_id, ZERO) + line.amount
    return amounts
