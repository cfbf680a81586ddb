"""A new price of a service from a day on: the rows that it replaces end the day before."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from ledger.files.draft import Draft, told
from ledger.files.problems import Problems
from ledger.files.table import read
from ledger.files.write import as_file
from ledger.journal.operations import exclusive, hold_journal_open
from providers.models import Price, Service
from providers.services.operations import PRICES
from vouchers.city.entry import WAIT_SECONDS, take
from vouchers.city.operations import CannotLoad, moved


def replaced_by(
    service: Service, *, valid_from: date, min_age: int | None, max_age: int | None
) -> list[Price]:
    """The rows that such a new price ends: begun before it, not ended by then, for ages that it covers too."""
    rows = Price.objects.filter(
        Q(valid_until=None) | Q(valid_until__gte=valid_from), service=service, valid_from__lt=valid_from
    )
    if max_age is not None:
        rows = rows.filter(Q(min_age=None) | Q(min_age__lte=max_age))
    if min_age is not None:
        rows = rows.filter(Q(max_age=None) | Q(max_age__gte=min_age))
    return list(rows.order_by("valid_from", "min_age"))


def set_price(
    *, service: Service, row: Mapping[str, str], by: Any, at: datetime, dry_run: bool = False
) -> tuple[Draft, list[Price]]:
    """This function will give a service a price from a day on, in one transaction with the end of the old ones.

    `row` is text by column of service_prices.csv. What was redeemed keeps its price: a row never ends before
    a redemption at it or within a locked month. Returns the draft and the rows that end. With `dry_run` all is
    checked and nothing written. Raises FileRefused, CannotLoad, Busy.
    """
    new = {**row, "service": service.code}
    with exclusive("set_price", wait_seconds=WAIT_SECONDS):
        try:
            with transaction.atomic():
                hold_journal_open()
                old = _replaced(service, new)
                ends = [_ended(price, new) for price in old]
                draft = take(name="service_prices", rows=[new, *ends], by=by, at=at, dry_run=dry_run)
                return draft, old
        except IntegrityError as error:
            raise CannotLoad(moved(error)) from error


def _replaced(service: Service, row: Mapping[str, str]) -> list[Price]:
    problems = Problems()
    names = [column.name for column in PRICES]
    rows = read(as_file(names, [row]), PRICES, name="service_prices.csv", problems=problems)
    problems.refuse()
    typed = rows[0]
    return replaced_by(
        service, valid_from=typed["valid_from"], min_age=typed["min_age"], max_age=typed["max_age"]
    )


def _ended(price: Price, new: Mapping[str, str]) -> dict[str, str]:
    until = date.fromisoformat(new["valid_from"].strip()) - timedelta(days=1)
    row = {column.name: told(getattr(price, column.name)) for column in PRICES}
    return {**row, "valid_until": told(until)}
