"""Loading what premises ask of those who pay in cash: cash_prices.csv."""

from collections.abc import Sequence

from ledger.files import kinds
from ledger.files.draft import Draft
from ledger.files.table import Column, Row
from ledger.money import to_fen
from providers.known import Known
from providers.services.models import CashPrice
from providers.services.operations import MOST

COLUMNS = [
    Column("premises", kinds.CODE),
    Column("service", kinds.CODE),
    Column("valid_from", kinds.DATE),
    Column("price", kinds.decimal(places=2, high=MOST)),  # yuan a unit
]


def plan_cash_prices(*, rows: Sequence[Row], draft: Draft, known: Known) -> None:
    """This function will work out what cash_prices.csv changes: a row is known by premises, service and first
    day; what the file does not name stays. Nothing is paid by these prices, so they may be corrected."""
    on_record = {
        (row.premises.code, row.service.code, row.valid_from): row
        for row in CashPrice.objects.order_by("id").select_related("premises", "service")
    }
    fresh = []
    for row in draft.once(rows, "premises", "service", "valid_from"):
        premises = draft.find(row, "premises", known.premises)
        service = draft.find(row, "service", known.services)
        if premises is None or service is None:
            continue
        price = to_fen(row["price"])
        name = f"{row['premises']} {row['service']} {row['valid_from']}"
        found = on_record.get((row["premises"], row["service"], row["valid_from"]))
        if found is None:
            fresh.append(
                CashPrice(premises=premises, service=service, valid_from=row["valid_from"], price=price)
            )
            draft.tally(name, new=True)
        else:
            changes = draft.revise(row, found, {"price": price})
            draft.update(found, changes)
            draft.tally(name, changed=bool(changes))
    draft.create(fresh)
