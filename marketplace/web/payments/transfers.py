"""The bank's file of what is to be paid: one line a payment, bearing its number."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.http import Http404, HttpResponseBase

from ledger.files.write import As, Field
from marketplace.web.exports import Sheet, csv_file


def transfer_file(name: str, rows: Iterable[tuple[Mapping[str, str], Decimal, str]]) -> HttpResponseBase:
    """`rows`: the account (holder, number, bank), yuan, what for. 404 where nothing is to be paid."""
    told = [
        [account.get("holder", ""), account.get("number", ""), account.get("bank", ""), amount, purpose]
        for account, amount, purpose in rows
    ]
    if not told:
        raise Http404("nothing to pay")
    fields = (
        # The bank's own words, in whatever language this is read.
        Field("收款户名", width=28),
        Field("收款账号", width=24),
        Field("收款开户行", width=28),
        Field("金额", As.AMOUNT, width=14),
        Field("用途", width=30),
    )
    return csv_file(Sheet(name=name, title=name, fields=fields, rows=told))
