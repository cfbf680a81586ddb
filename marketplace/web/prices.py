"""Proposed prices as office and bureau show them: the list, and old beside new."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy

from ledger.files.write import As, Field
from ledger.money import ZERO
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing
from providers.models import PriceProposal

State = PriceProposal.State
MARKS = {
    State.WAITING: ("due", "hourglass-split"),
    State.APPROVED: ("ok", "check-circle-fill"),
    State.DECLINED: ("no", "x-octagon-fill"),
    State.WITHDRAWN: ("wait", "arrow-counterclockwise"),
}
SORTS = {
    "proposed": ("proposed_at", "id"),
    "service": ("follows__service__code", "id"),
    "from": ("valid_from", "id"),
    "state": ("state", "id"),
}
COLUMNS = (
    Field(gettext_lazy("Service"), width=24),
    Field(gettext_lazy("Ages"), width=10),
    Field(gettext_lazy("Operator"), width=24),
    Field(gettext_lazy("Begins"), As.DATE, width=12),
    Field(gettext_lazy("List price now"), As.AMOUNT, width=14),
    Field(gettext_lazy("List price proposed"), As.AMOUNT, width=14),
    Field(gettext_lazy("Concession now"), As.AMOUNT, width=14),
    Field(gettext_lazy("Concession proposed"), As.AMOUNT, width=14),
    Field(gettext_lazy("Reason"), width=40),
    Field(gettext_lazy("Proposed"), As.TIME, width=20),
    Field(gettext_lazy("State"), width=14),
    Field(gettext_lazy("Decided"), As.TIME, width=20),
    Field(gettext_lazy("Decided by"), width=16),
    Field(gettext_lazy("What the bureau said"), width=40),
)


def ages(price: Any) -> str:
    return f"{price.min_age or 0}–{'' if price.max_age is None else price.max_age}"


def marked(row: PriceProposal) -> PriceProposal:
    row.tone, row.mark = MARKS[State(row.state)]  # type: ignore[attr-defined]
    row.ages = ages(row.follows)  # type: ignore[attr-defined]
    return row


def listed(
    request: HttpRequest, rows: QuerySet[PriceProposal]
) -> tuple[dict[str, Any], HttpResponseBase | None]:
    """What a list of proposals needs, and the file if one was asked for."""
    listing = Listing(
        request, rows.select_related("follows__service", "operator"), sorts=SORTS, default="-proposed"
    )
    file = export(request, Sheet("price-proposals", "price-proposals", COLUMNS, _lines(listing.rows)))
    return {"listing": listing, "rows": [marked(row) for row in listing.page] if file is None else []}, file


def _lines(rows: Iterable[PriceProposal]) -> Iterable[list[Any]]:
    for row in rows:
        yield [
            row.follows.service.name,
            ages(row.follows),
            row.operator.name,
            row.valid_from,
            row.follows.list_price,
            row.list_price,
            row.follows.concession,
            row.concession,
            row.reason,
            row.proposed_at,
            row.get_state_display(),
            row.decided_at,
            row.decided_by,
            row.note,
        ]


def beside(row: PriceProposal) -> list[tuple[Any, Any, Any, Any]]:
    """Each part of the price: its name, now, proposed, the difference."""
    now = row.follows
    public = now.government + now.charity
    return [
        (gettext_lazy("List price"), now.list_price, row.list_price, row.list_price - now.list_price),
        (gettext_lazy("Government part"), now.government, now.government, ZERO),
        (
            gettext_lazy("Operator's concession"),
            now.concession,
            row.concession,
            row.concession - now.concession,
        ),
        (gettext_lazy("Charity part"), now.charity, now.charity, ZERO),
        (
            gettext_lazy("Elder price"),
            now.list_price - public - now.concession,
            row.list_price - public - row.concession,
            (row.list_price - row.concession) - (now.list_price - now.concession),
        ),
    ]
