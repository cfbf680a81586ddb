"""The SQL of one redemption: two statements that lock and read (sent together), one that writes (sent with COMMIT).

Set-based SQL stands here beside the operation because this path is the one that queues wait on. The
rules themselves are in judge.py and allocate.py.

Note [Lock order]: the journal (shared), then the elder, then vouchers by id, then claims. Whatever
posts takes them in this order, so two postings never wait for each other in a circle.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ledger import chart
from ledger.money import ZERO
from ledger.wire import Prepared, Row, Transaction, words
from vouchers.redemption.judge import ElderFacts, Judged, VoucherFacts
from vouchers.redemption.terms import Terms
from vouchers.wallets.allocate import Line

if TYPE_CHECKING:
    from vouchers.redemption.operations import RedemptionOrder

# Note [Key lock]: who cannot wait for a delivery of the same key that is under way gives a lock of that key. It is
# tried, not waited for, and lasts until the end of the transaction; without it nothing else is locked either.

# Note [One person, two records]: what one day allows, it allows a person. Of a record that is another's double
# (Elder.same_as) the record that counts is locked too, so whoever spends under either waits for the other, and what
# either had counts. Vouchers stay where they are: each record spends its own.

# The left join makes the journal's lock come first, and answers also when the elder is unknown.
LOCK = Prepared(
    "redemption_lock",
    """
    SELECT journal.first_open, journal.mine, elder.id, elder.birth_on, elder.died_on, elder.name
    FROM (SELECT ledger_first_open_day() AS first_open,
        %(lock)s::bigint IS NULL OR pg_try_advisory_xact_lock(%(lock)s::bigint) AS mine) AS journal
    LEFT JOIN LATERAL (
        WITH person AS MATERIALIZED (
            SELECT id, code, birth_on, died_on, name FROM vouchers_elder
            WHERE journal.mine AND id IN (
                SELECT unnest(ARRAY[id, same_as_id]) FROM vouchers_elder
                WHERE code = %(elder)s AND erased_at IS NULL)
            ORDER BY id FOR NO KEY UPDATE)
        SELECT id, birth_on, died_on, name FROM person WHERE code = %(elder)s
    ) AS elder ON true
    """,
)

FIND = Prepared(
    "redemption_find",
    """
    SELECT NULL::date, true, id, birth_on, died_on, name FROM vouchers_elder
    WHERE code = %(elder)s AND erased_at IS NULL
    """,
)

# What was had and what is held are read after the elder is locked: nobody adds to them meanwhile.
READ = """
    WITH elder AS MATERIALIZED (
        SELECT id, coalesce(same_as_id, id) AS counts FROM vouchers_elder WHERE code = %(elder)s
            AND (%(lock)s::bigint IS NULL OR pg_try_advisory_xact_lock(%(lock)s::bigint))),
    person AS MATERIALIZED (
        SELECT ARRAY(
            SELECT counts FROM elder
            UNION ALL SELECT id FROM vouchers_elder WHERE same_as_id = (SELECT counts FROM elder)) AS ids),
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
            WHERE r.elder_id = ANY ((SELECT ids FROM person)::bigint[]) AND r.service_on = %(on)s
                AND r.service_id = %(service)s AND r.reversed_on IS NULL)
        + (SELECT coalesce(sum(h.quantity), 0) FROM vouchers_hold h
            WHERE h.elder_id = ANY ((SELECT ids FROM person)::bigint[]) AND h.service_on = %(on)s
                AND h.service_id = %(service)s AND h.state = 'open' AND h.id IS DISTINCT FROM %(hold)s),
        (SELECT min(h.id) FROM vouchers_hold h
            WHERE h.elder_id = (SELECT id FROM elder) AND h.service_on = %(on)s
                AND h.service_id = %(service)s AND h.premises_id = %(premises)s AND h.state = 'open'),
        nextval('ledger_entry_id_seq'),
        nextval('vouchers_redemption_id_seq'),
        had.ids,
        had.programmes,
        had.until,
        had.remaining
    FROM (
        SELECT array_agg(id) AS ids, array_agg(programme_id) AS programmes, array_agg(valid_until) AS until,
            array_agg(remaining) AS remaining
        FROM spendable) AS had
    LEFT JOIN vouchers_redemption first ON first.key_scope = %(scope)s AND first.key = %(key)s
"""
READ_LOCKING = Prepared("redemption_read_locking", READ.format(lock="FOR UPDATE"))
READ_ONLY = Prepared("redemption_read", READ.format(lock=""))

WRITE = """
    WITH entry AS (
        INSERT INTO ledger_entry (id, key, kind, dated_on, recorded_at, link)
        VALUES (%(entry)s, %(entry_key)s, 'redemption', %(dated_on)s, %(at)s, %(number)s)),
    transfers AS (
        INSERT INTO ledger_transfer (entry_id, line, debit_id, credit_id, commodity, amount)
        SELECT %(entry)s::bigint, t.line, t.debit, t.credit, t.commodity, t.amount
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
        SELECT line.id, '{kind}', line.amount, %(entry)s::bigint, %(redemption)s::bigint, %(hold)s::bigint
        FROM unnest(%(voucher_ids)s::bigint[], %(amounts)s::numeric[]) AS line(id, amount)),
    claims AS (
        INSERT INTO vouchers_claim (redemption_id, lease_id, service_on, amount)
        SELECT %(redemption)s::bigint, c.lease, %(service_on)s::date, c.amount
        FROM unnest(%(claim_leases)s::bigint[], %(claim_amounts)s::numeric[]) AS c(lease, amount)),
    noted AS (
        INSERT INTO ledger_record (at, by, channel, action, subject, detail)
        VALUES (%(at)s, %(by)s, %(channel)s, 'redeem', %(number)s, %(detail)s::jsonb))
    SELECT id, remaining FROM spent
"""
WRITE_FREE = Prepared("redemption_write", WRITE.format(pocket="remaining", kind="redeem"))
WRITE_HELD = Prepared("redemption_write_held", WRITE.format(pocket="held", kind="redeem_held"))


class First(NamedTuple):
    """The redemption that used this key before; `request` is the digest of what was asked then."""

    id: int
    request: bytes


@dataclass(frozen=True, slots=True)
class Context:
    """`entry_id` and `redemption_id` are drawn for the rows to be written; `name` is the elder's.

    `ordered`: the first open hold of this service on this day, where premises were named to look for it.
    Not `mine`: the key's lock is another's, and nothing was locked or read.
    """

    first_open: date | None
    mine: bool
    elder: ElderFacts | None
    name: str
    first: First | None
    terms_version: int
    vouchers: list[VoucherFacts]
    ordered: int | None
    entry_id: int
    redemption_id: int


def lock_and_read(
    transaction: Transaction,
    *,
    key_scope: str,
    key: str,
    elder: str,
    service_id: int | None,
    service_on: date,
    premises_id: int | None = None,
    hold_id: int | None = None,
    key_lock: int | None = None,
    last: bool = False,
) -> Context:
    """Lock journal, elder and vouchers and read what the rules need; one round trip, the first of its transaction.

    `last`: what is written goes other ways, in the transaction around this one.
    """
    given = _given(key_scope, key, elder, service_id, service_on, premises_id, hold_id, key_lock)
    return _context(*transaction.send((LOCK, given), (READ_LOCKING, given), last=last))


def read(
    transaction: Transaction,
    *,
    elder: str,
    service_id: int | None,
    service_on: date,
    premises_id: int | None = None,
    hold_id: int | None = None,
) -> Context:
    """The same without any lock or key, for a quote."""
    given = _given("", "", elder, service_id, service_on, premises_id, hold_id, None)
    return _context(*transaction.send((FIND, given), (READ_ONLY, given)))


def _given(
    key_scope: str,
    key: str,
    elder: str,
    service_id: int | None,
    service_on: date,
    premises_id: int | None,
    hold_id: int | None,
    key_lock: int | None,
) -> dict[str, Any]:
    return {
        "elder": elder,
        "on": service_on,
        "service": service_id,
        "premises": premises_id,
        "hold": hold_id,
        "scope": key_scope,
        "key": key,
        "lock": key_lock,
    }


NOBODY: Row = (None, "t", None, None, None, None)


def _context(locked: list[Row], found: list[Row]) -> Context:
    first_open, mine, elder_id, birth_on, died_on, name = locked[0] if locked else NOBODY
    first_id, request, version, had, ordered, entry_id, redemption_id, *vouchers = found[0]
    assert version and had and entry_id and redemption_id
    return Context(
        first_open=_day(first_open),
        mine=mine == "t",
        name=name or "",
        elder=(
            ElderFacts(int(elder_id), date.fromisoformat(birth_on), _day(died_on), int(had))
            if elder_id and birth_on
            else None
        ),
        first=First(int(first_id), bytes.fromhex(request[2:])) if first_id and request else None,
        terms_version=int(version),
        vouchers=[
            VoucherFacts(int(id_), int(programme), date.fromisoformat(until), Decimal(remaining))
            for id_, programme, until, remaining in zip(*map(words, vouchers), strict=True)
        ],
        ordered=int(ordered) if ordered else None,
        entry_id=int(entry_id),
        redemption_id=int(redemption_id),
    )


def lock_of_key(scope: str, key: str) -> int:
    """The number of a key's advisory lock: 64 bits of its digest, which no other key in use shares by chance."""
    return int.from_bytes(hashlib.blake2b(f"{scope}\0{key}".encode(), digest_size=8).digest(), signed=True)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def write(
    transaction: Transaction,
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
    """Write one redemption with all that belongs to it, and commit: the last round trip of its transaction.

    What remains of each voucher that paid, by id.
    """
    assert context.elder is not None
    number = f"RD-{context.redemption_id:09d}"
    split = judged.split
    moves = list(_moves(judged, known, from_hold=hold_id is not None))
    claims = _claims(judged.lines, known)
    written = {
        "entry": context.entry_id,
        "entry_key": f"redeem:{number}",
        "dated_on": max(service_on, context.first_open) if context.first_open else service_on,
        "at": at,
        "number": number,
        "debits": [move[0] for move in moves],
        "credits": [move[1] for move in moves],
        "commodities": [move[2] for move in moves],
        "moved": [move[3] for move in moves],
        "redemption": context.redemption_id,
        "scope": key_scope,
        "key": order.key,
        "request": order.digest(),
        "happened_at": order.happened_at,
        "service_on": service_on,
        "lease": judged.lease.id,
        "service": judged.service.id,
        "elder": context.elder.id,
        "quantity": order.quantity,
        "channel": order.channel,
        "list_price": split.list_price,
        "government": split.government,
        "concession": split.concession,
        "charity": split.charity,
        "vouchers": split.vouchers,
        "self_pay": split.self_pay,
        "hold": hold_id,
        "by": by,
        "voucher_ids": [line.voucher_id for line in judged.lines],
        "amounts": [line.amount for line in judged.lines],
        "claim_leases": list(claims),
        "claim_amounts": list(claims.values()),
        "detail": json.dumps({"vouchers": str(split.vouchers), "self_pay": str(split.self_pay)}),
    }
    statement = WRITE_FREE if hold_id is None else WRITE_HELD
    (left,) = transaction.send((statement, written), last=True)
    return {int(id_): Decimal(remaining) for id_, remaining in left if id_ and remaining}


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
