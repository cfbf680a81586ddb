"""One entry of the journal: as transfers and as it stands in the books, with the facts that it belongs to."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ledger.books.text import NARRATIONS
from ledger.models import Entry, Transfer
from marketplace.web import scope
from marketplace.web.access import BUREAU, roles


@roles(*BUREAU)
@require_safe
def entry(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show an entry's transfers and lead to the redemption, reversal, statement, issue run
    or bank line that it was posted for."""
    seen = scope.entries(request.user)
    found = get_object_or_404(seen.select_related("reverses", "issue_run__programme"), pk=number)
    transfers = list(found.transfers.select_related("debit", "credit").order_by("line"))
    redemptions = list(scope.redemptions(request.user).filter(entry=found)[:20])
    return render(
        request,
        "trace/entry.html",
        {
            "entry": found,
            "transfers": transfers,
            "books": in_books(found, transfers),
            "redemptions": redemptions,
            "reversals": list(
                scope.reversals(request.user).filter(entry=found).select_related("redemption")[:20]
            ),
            "statements": list(
                scope.statements(request.user).filter(entry=found).select_related("lease")[:20]
            ),
            "issue_run": getattr(found, "issue_run", None),
            "movements": list(
                scope.movements(request.user)
                .filter(entry=found, redemption=None)
                .select_related("voucher__programme")
                .order_by("id")[:50]
            ),
            "bank_lines": [
                *scope.bank_lines(request.user).filter(entry=found)[:20],
                *scope.bank_lines(request.user).filter(receipt__decisions__entry=found)[:1],
            ],
            "reversed_by": list(found.reversed_by.all()[:5]),
            "trail": [
                *(
                    [(redemptions[0].number, reverse("redemption", args=[redemptions[0].number]))]
                    if redemptions
                    else []
                ),
                (_("Entry %(number)s") % {"number": found.pk}, None),
            ],
        },
    )


def in_books(entry: Entry, transfers: list[Transfer]) -> str:
    """The entry as its month's file has it, letter by letter (ledger/books/export.py)."""
    narration = NARRATIONS.get(entry.kind, entry.kind)
    link = f" ^{entry.link}" if entry.link else ""
    lines = [f'{entry.dated_on} * "{narration}" #{entry.kind}{link}', f'  entry: "{entry.pk}"']
    if entry.reverses_id:
        lines.append(f'  reverses: "{entry.reverses_id}"')
    for transfer in transfers:
        lines.append(f"  {transfer.debit.name}  {transfer.amount} {transfer.commodity}")
        lines.append(f"  {transfer.credit.name}  -{transfer.amount} {transfer.commodity}")
    return "\n".join(lines)
