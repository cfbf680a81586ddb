"""The proof of rules.md section 9 over the whole database.

    prove()  →  one Proved for each invariant, in the order of money: journal, vouchers, redemptions, months, bank, payments

Each invariant is one set-based query or one pass in Python; all see the same instant of the database.
"""

# ruff: noqa: S608 - all parts of these queries are constants

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from time import perf_counter

from django.db import connection, transaction

from ledger import chart
from ledger.models import Account
from providers.models import Lease, Operator, Owner
from vouchers.models import Programme
from vouchers.proof import accounts, journal, months, payments, receipts, redemptions, wallets
from vouchers.proof.invariants import Invariant, Proved

EXAMPLES = 5


INVARIANTS: list[Invariant] = [
    *journal.INVARIANTS,
    *wallets.INVARIANTS,
    *redemptions.INVARIANTS,
    *months.INVARIANTS,
    *receipts.INVARIANTS,
    *payments.INVARIANTS,
    *accounts.INVARIANTS,
]


def prove(progress: Callable[..., None] | None = None) -> list[Proved]:
    """This function will ask every invariant of the whole database, as it stands at one instant.

    It changes nothing. `progress(done, total, what)` is called before each.
    """
    found = []
    with transaction.atomic():
        _ground()
        for done, invariant in enumerate(INVARIANTS):
            if progress:
                progress(done, len(INVARIANTS), invariant.name)
            found.append(_prove(invariant))
        _clear()
    return found


def _prove(invariant: Invariant) -> Proved:
    started = perf_counter()
    if invariant.find:
        subjects: Iterable[str] = iter(invariant.find())
        examples = list(islice(subjects, EXAMPLES))
        count = len(examples) + sum(1 for _subject in subjects)
    else:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*), (array_agg(subject ORDER BY subject))[1:{EXAMPLES}]"
                f" FROM ({invariant.sql}) AS violation (subject)"
            )
            count, examples = cursor.fetchone()
    return Proved(
        invariant.name, str(invariant.sentence), count, list(examples or []), perf_counter() - started
    )


def _ground() -> None:
    """Lay the three tables that invariants.py tells of, and have every query see what this one sees."""
    with connection.cursor() as cursor:
        if not connection.savepoint_ids:  # a transaction that is our own, nothing read in it yet
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SET LOCAL work_mem = '128MB'")
        _clear()
        cursor.execute("CREATE TEMP TABLE proof_account (role text, owner bigint, account bigint)")
        roles, owners, ids = zip(*_roles(), strict=True)
        cursor.execute(
            "INSERT INTO proof_account SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[])",
            [list(roles), list(owners), list(ids)],
        )
        cursor.execute(
            """
            CREATE TEMP TABLE proof_balance AS
            SELECT account, sum(amount) AS amount
            FROM (SELECT debit_id AS account, sum(amount) AS amount FROM ledger_transfer GROUP BY debit_id
                UNION ALL SELECT credit_id, -sum(amount) FROM ledger_transfer GROUP BY credit_id) AS side
            GROUP BY account
            """
        )
        cursor.execute(
            """
            CREATE TEMP TABLE proof_moved AS
            SELECT m.entry_id, m.redemption_id, v.programme_id, m.kind, sum(m.amount) AS amount,
                bool_and(v.elder_id = r.elder_id AND r.service_on BETWEEN v.valid_from AND v.valid_until) AS fits
            FROM vouchers_movement m LEFT JOIN vouchers_voucher v ON v.id = m.voucher_id
                LEFT JOIN vouchers_redemption r ON r.id = m.redemption_id
            GROUP BY m.entry_id, m.redemption_id, v.programme_id, m.kind
            """
        )
        cursor.execute("ANALYZE proof_account, proof_balance, proof_moved")


def _clear() -> None:
    with connection.cursor() as cursor:
        for table in ("proof_account", "proof_balance", "proof_moved"):
            cursor.execute("SELECT to_regclass(%s)", [f"pg_temp.{table}"])
            if cursor.fetchone()[0]:
                cursor.execute(f"DROP TABLE pg_temp.{table}")


def _roles() -> Iterator[tuple[str, int, int | None]]:
    """(role, id of its programme, operator or lease, id of the account): the chart, as the queries join it."""
    ids = dict(Account.objects.values_list("name", "id"))
    for role, name in (
        ("subsidy", chart.SUBSIDY_GOVERNMENT),
        ("charity", chart.FUND_CHARITY),
        ("bank", chart.BANK_RENT),
        ("bank_fees", chart.BANK_FEES),
        ("bank_interest", chart.BANK_INTEREST),
        ("suspense_receipts", chart.SUSPENSE_RECEIPTS),
        ("suspense_payments", chart.SUSPENSE_PAYMENTS),
    ):
        yield role, 0, ids.get(name)
    kinds: list[tuple] = [
        (
            Programme,
            {
                "issued": chart.vouchers_issued,
                "outstanding": chart.vouchers_outstanding,
                "held": chart.vouchers_held,
                "redeemed": chart.vouchers_redeemed,
                "expired": chart.vouchers_expired,
                "voided": chart.vouchers_voided,
                "expense": chart.voucher_expense,
            },
        ),
        (Operator, {"payable": chart.payable}),
        (Owner, {"handed_over": chart.handed_over}),
        (
            Lease,
            {
                "receivable": chart.receivable_rent,
                "income": chart.rent_income,
                "rent_offset": chart.rent_offset,
                "offset_credit": chart.offset_credit,
                "lapsed": chart.offset_lapsed,
            },
        ),
    ]
    for model, names in kinds:
        for owner, code in model.objects.order_by("code").values_list("id", "code"):
            for role, name in names.items():
                yield role, owner, ids.get(name(code))
