"""A month of redemptions of every elder, loaded in bulk: what the operation would have written, row for row.

Five meals an elder and month, each paid by the first voucher of its own premises' programme. Loaded with the
foreign keys' triggers asleep (session_replication_role), which the bench may; `verify_ledger` must pass on it.
"""

from datetime import date

import psycopg

from tests import databases
from vouchers.proof.queries import prove

MEALS_A_MONTH = 5

FACTS = """
    CREATE TEMP TABLE fact AS
    SELECT (SELECT coalesce(max(id), 0) FROM vouchers_redemption) + n AS id,
        (SELECT coalesce(max(id), 0) FROM ledger_entry) + n AS entry_id,
        'RD-' || lpad(((SELECT coalesce(max(id), 0) FROM vouchers_redemption) + n)::text, 9, '0') AS number,
        (SELECT (max(month) + interval '1 month')::date FROM ledger_period) AS first_open, served.*
    FROM (
        SELECT row_number() OVER (ORDER BY day, e.id) AS n, day, (day + time '10:45' + (e.id * 7919 + k * 104729) %% 7200 * interval '1 second')
                AT TIME ZONE 'Asia/Shanghai' AS at,
            e.id AS elder_id, v.id AS voucher_id, p.lease_id, s.id AS service_id, outstanding.id AS outstanding,
            redeemed.id AS redeemed, subsidy.id AS subsidy, payable.id AS payable
        FROM vouchers_elder e
        JOIN vouchers_voucher v ON v.elder_id = e.id AND v.valid_from = %(month)s AND v.ordinal = 1
        JOIN vouchers_programme p ON p.id = v.programme_id AND p.code <> 'TOWN'
        JOIN providers_lease l ON l.id = p.lease_id
        JOIN providers_operator o ON o.id = l.operator_id
        JOIN ledger_account outstanding ON outstanding.name = 'Liabilities:Vouchers:' || p.code || ':Outstanding'
        JOIN ledger_account redeemed ON redeemed.name = 'Equity:Vouchers:' || p.code || ':Redeemed'
        JOIN ledger_account subsidy ON subsidy.name = 'Expenses:Subsidy:Government'
        JOIN ledger_account payable ON payable.name = 'Liabilities:Payable:' || o.code
        JOIN providers_service s ON s.code = 'MEAL'
        CROSS JOIN generate_series(0, %(meals)s - 1) AS k
        CROSS JOIN LATERAL (SELECT %(month)s::date + ((e.id + k * 5) %% 28)::int AS day) AS of
        ORDER BY n LIMIT %(at_most)s
    ) AS served
"""

ROWS = (
    """
    INSERT INTO ledger_entry (id, key, kind, dated_on, recorded_at, link)
    SELECT entry_id, 'redeem:' || number, 'redemption', greatest(day, first_open), at, number FROM fact ORDER BY id
    """,
    """
    INSERT INTO ledger_transfer (entry_id, line, debit_id, credit_id, commodity, amount)
    SELECT entry_id, line, debit, credit, commodity, amount FROM fact,
        LATERAL (VALUES (1, outstanding, redeemed, 'VCY', 8.00), (2, subsidy, payable, 'CNY', 4.00))
            AS t(line, debit, credit, commodity, amount)
    ORDER BY id, line
    """,
    """
    INSERT INTO vouchers_redemption (
        id, key_scope, key, request, happened_at, service_on, recorded_at, lease_id, service_id, elder_id, quantity,
        channel, list_price, government, concession, charity, vouchers, self_pay, entry_id, by)
    SELECT id, 'files', number, sha256(number::bytea), at, day, at, lease_id, service_id, elder_id, 1, 'qr', 12, 4, 0,
        0, 8, 0, entry_id, 'bench'
    FROM fact ORDER BY id
    """,
    """
    INSERT INTO vouchers_movement (voucher_id, kind, amount, entry_id, redemption_id)
    SELECT voucher_id, 'redeem', 8, entry_id, id FROM fact ORDER BY id
    """,
    """
    INSERT INTO vouchers_claim (redemption_id, lease_id, service_on, amount)
    SELECT id, lease_id, day, 8 FROM fact ORDER BY id
    """,
    """
    INSERT INTO ledger_record (at, by, channel, action, subject, detail)
    SELECT at, 'bench', 'qr', 'redeem', number, '{"vouchers": "8.00", "self_pay": "0.00"}' FROM fact ORDER BY id
    """,
    """
    UPDATE vouchers_voucher v SET remaining = v.remaining - spent.amount
    FROM (SELECT voucher_id, 8 * count(*) AS amount FROM fact GROUP BY 1) AS spent WHERE v.id = spent.voucher_id
    """,
    "SELECT setval('ledger_entry_id_seq', (SELECT max(id) FROM ledger_entry))",
    "SELECT setval('vouchers_redemption_id_seq', (SELECT max(id) FROM vouchers_redemption))",
)


def load(name: str, month: date, *, at_most: int | None = None) -> int:
    """Load a month's redemptions of vouchers issued for `month` (its first day); how many there were.

    Once more loads as many again, as if they were learnt late.
    """
    with databases.superuser(name) as connection, connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("SET LOCAL work_mem = '256MB'")
        # What makes a table takes no parameters from the server: the client writes them in.
        psycopg.ClientCursor(connection).execute(
            FACTS, {"month": month, "meals": MEALS_A_MONTH, "at_most": at_most}
        )
        for statement in ROWS:
            connection.execute(statement)
        loaded = connection.execute("SELECT count(*) FROM fact").fetchone()
        connection.execute("DROP TABLE fact")
    assert loaded
    return loaded[0]


def prove_sound() -> None:
    """Refuse a database on which `verify_ledger` finds anything: figures of it would prove nothing."""
    violated = [one for one in prove() if one.violations]
    if violated:
        raise SystemExit(
            f"verify_ledger finds: {'; '.join(f'{one.name} {one.violations}' for one in violated)}"
        )
