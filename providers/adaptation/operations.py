"""Loading which service delivers which item: adaptation_services.csv."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from ledger.files import kinds
from ledger.files.draft import Draft
from ledger.files.table import Column, Row
from providers.adaptation.items import ITEMS
from providers.adaptation.models import ItemService
from providers.known import Known
from providers.services.models import Service

COLUMNS = [Column("service", kinds.CODE), Column("item", kinds.choice(*ITEMS))]


def plan_items(*, rows: Sequence[Row], draft: Draft, known: Known) -> None:
    """This function will work out what adaptation_services.csv changes: a row is known by its service; what the
    file does not name stays. Only services of the category adaptation deliver items."""
    on_record = {
        row.service.code: row for row in ItemService.objects.select_related("service").order_by("id")
    }
    fresh = []
    for row in draft.once(rows, "service"):
        service = draft.find(row, "service", known.services)
        if service is None:
            continue
        if service.category != Service.Category.ADAPTATION:
            draft.problem(row, "service", _("is no service of the category adaptation"))
            continue
        found = on_record.get(service.code)
        if found is None:
            fresh.append(ItemService(service=service, code=row["item"]))
            draft.tally(service.code, new=True)
        else:
            changed = found.code != row["item"]
            found.code = row["item"]
            draft.update(found, ["code"] if changed else [])
            draft.tally(service.code, changed=changed)
    draft.create(fresh)
