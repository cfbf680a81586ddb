"""The journal by itself: entries, transfers, accounts, locked months (rules.md section 9, 1)."""

# ruff: noqa: S608 - all parts of these queries are constants

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from ledger import chart
from ledger.models import Account
from ledger.seals.operations import broken
from vouchers.proof.invariants import Invariant
from vouchers.settlement.papers import heads_on_paper


def _accounts_of_other_commodity() -> Iterator[str]:
    for name, commodity in Account.objects.order_by("name").values_list("name", "commodity"):
        if commodity != chart.commodity(name):
            yield name


# Every document that has an entry of its own, with the kind that this entry bears.
DOCUMENTS = """
    SELECT entry_id, 'issue' AS kind FROM vouchers_issuerun
    UNION ALL SELECT entry_id, 'redemption' FROM vouchers_redemption
    UNION ALL SELECT entry_id, 'reversal' FROM vouchers_reversal
    UNION ALL SELECT entry_id, 'hold' FROM vouchers_hold WHERE entry_id IS NOT NULL
    UNION ALL SELECT entry_id, 'statement' FROM vouchers_statement WHERE entry_id IS NOT NULL
    UNION ALL SELECT entry_id, 'bank' FROM ledger_bankline
    UNION ALL SELECT entry_id, 'receipt' FROM providers_receiptdecision WHERE entry_id IS NOT NULL
"""

INVARIANTS = [
    Invariant(
        "entry_moves_something",
        _("Every entry is made of at least one transfer."),
        """
        SELECT 'entry ' || e.id FROM ledger_entry e
        WHERE NOT EXISTS (SELECT FROM ledger_transfer t WHERE t.entry_id = e.id)
        """,
    ),
    Invariant(
        "transfer_whole",
        _("Every transfer belongs to an entry and moves more than zero between two known accounts."),
        """
        SELECT 'entry ' || t.entry_id || ', line ' || t.line
        FROM ledger_transfer t
            LEFT JOIN ledger_entry e ON e.id = t.entry_id
            LEFT JOIN ledger_account d ON d.id = t.debit_id
            LEFT JOIN ledger_account c ON c.id = t.credit_id
        WHERE e.id IS NULL OR d.id IS NULL OR c.id IS NULL OR t.debit_id = t.credit_id OR t.amount <= 0
        """,
    ),
    Invariant(
        "commodities_apart",
        _(
            "Every transfer stays within the commodity of both its accounts, so that each entry balances in each."
        ),
        """
        SELECT 'entry ' || t.entry_id || ', line ' || t.line
        FROM ledger_transfer t
            JOIN ledger_account d ON d.id = t.debit_id
            JOIN ledger_account c ON c.id = t.credit_id
        WHERE t.commodity <> d.commodity OR t.commodity <> c.commodity
        """,
    ),
    Invariant(
        "account_commodity",
        _("Every account holds the commodity that its name says."),
        find=_accounts_of_other_commodity,
    ),
    Invariant(
        "entry_key_once",
        _("No two entries bear the same key."),
        "SELECT 'entry ' || min(id) FROM ledger_entry GROUP BY key HAVING count(*) > 1",
    ),
    Invariant(
        "entry_reversed_once",
        _("No entry is reversed twice."),
        """
        SELECT 'entry ' || reverses_id FROM ledger_entry
        WHERE reverses_id IS NOT NULL GROUP BY reverses_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "entry_of_one_document",
        _("Every entry of a document belongs to exactly one, and bears its kind."),
        f"""
        SELECT 'entry ' || entry_id
        FROM (
            SELECT entry_id, kind, 0 AS entries, 1 AS documents FROM ({DOCUMENTS}) AS document
            UNION ALL
            SELECT id, kind, 1, 0 FROM ledger_entry
            WHERE kind IN ('issue', 'redemption', 'reversal', 'hold', 'statement', 'bank', 'receipt')) AS side
        GROUP BY entry_id, kind HAVING sum(entries) <> 1 OR sum(documents) <> 1
        """,
    ),
    Invariant(
        "locked_month_closed",
        _("No entry dated in a locked month was recorded after the month was locked."),
        """
        SELECT 'entry ' || e.id
        FROM ledger_entry e JOIN ledger_period p
            ON p.month = greatest(date_trunc('month', e.dated_on)::date, (SELECT min(month) FROM ledger_period))
        WHERE e.recorded_at > p.locked_at
        """,
    ),
    Invariant(
        "sealed_as_it_was",
        _("Everything sealed into the chain is as it was sealed, and nothing of the chain is missing."),
        find=lambda: (f"{one.what} {one.why}" for one in broken(heads=heads_on_paper())),
    ),
    Invariant(
        "locked_months_in_a_row",
        _("Locked months follow one another without a gap, each from its first day."),
        """
        SELECT to_char(month, 'YYYY-MM')
        FROM (SELECT month, lag(month) OVER (ORDER BY month) AS before FROM ledger_period) AS p
        WHERE month <> date_trunc('month', month) OR before <> month - interval '1 month'
        """,
    ),
]
