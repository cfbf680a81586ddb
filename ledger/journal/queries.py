"""Questions to the journal: open months and balances."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max

from ledger.journal.models import Period

SHANGHAI = ZoneInfo("Asia/Shanghai")


def day_of(instant: datetime) -> date:
    """The calendar day in Asia/Shanghai on which an instant lies."""
    return instant.astimezone(SHANGHAI).date()


def midnight(day: date) -> datetime:
    """The instant at which a calendar day begins in Asia/Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def month_of(day: date) -> date:
    return day.replace(day=1)


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def previous_month(month: date) -> date:
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def last_day(month: date) -> date:
    return date.fromordinal(next_month(month).toordinal() - 1)


def last_locked_month() -> date | None:
    return Period.objects.aggregate(last=Max("month"))["last"]


def first_open_day() -> date | None:
    """First day of the first month that is not locked; None while none ever was."""
    locked = last_locked_month()
    return next_month(locked) if locked else None


def is_locked(month: date) -> bool:
    locked = last_locked_month()
    return locked is not None and month <= locked


def balances(*, before: date | None = None) -> dict[str, Decimal]:
    """Balance of each account (debits less credits, yuan) from entries dated before a day; zero ones left out.

    One pass over the journal.
    """
    where = "WHERE e.dated_on < %s" if before else ""
    join = "JOIN ledger_entry e ON e.id = t.entry_id" if before else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH side AS (
                SELECT debit_id AS account_id, sum(amount) AS amount
                FROM ledger_transfer t {join} {where} GROUP BY debit_id
                UNION ALL
                SELECT credit_id, -sum(amount) FROM ledger_transfer t {join} {where} GROUP BY credit_id)
            SELECT a.name, sum(side.amount) FROM side JOIN ledger_account a ON a.id = side.account_id
            GROUP BY a.name HAVING sum(side.amount) <> 0 ORDER BY a.name
            """,  # noqa: S608 - the parts are constants above
            [before, before] if before else [],
        )
        return dict(cursor.fetchall())


def balance_of(account: str) -> Decimal:
    """Balance of one account (debits less credits, yuan); one that was never opened holds nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce((SELECT sum(t.amount) FROM ledger_transfer t WHERE t.debit_id = a.id), 0.00)
                - coalesce((SELECT sum(t.amount) FROM ledger_transfer t WHERE t.credit_id = a.id), 0.00)
            FROM ledger_account a WHERE a.name = %s
            """,
            [account],
        )
        row = cursor.fetchone()
    return row[0] if row else Decimal("0.00")
