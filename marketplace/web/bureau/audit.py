"""Who did and saw what: the audit, searched and exported. It is only ever added to."""

from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ledger.audit.models import Record
from ledger.files.write import As, Field
from ledger.journal.queries import SHANGHAI
from marketplace.web.access import AUDIT_READERS, roles
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing

DAYS = 7  # shown when nothing is asked for


@roles(*AUDIT_READERS)
@require_safe
def records(request: HttpRequest) -> HttpResponseBase:
    """This page will list audit records, newest first: by whom, what, about what, when."""
    wanted = {name: request.GET.get(name, "").strip()[:80] for name in ("by", "action", "subject")}
    today = timezone.localdate()
    from_on = _day(request.GET.get("from"))
    until_on = _day(request.GET.get("until")) or today
    if from_on is None and not wanted["subject"]:
        from_on = until_on - timedelta(days=DAYS)
    rows = Record.objects.filter(at__lt=_midnight(until_on + timedelta(days=1)))
    if from_on:
        rows = rows.filter(at__gte=_midnight(from_on))
    if wanted["by"]:
        rows = rows.filter(by__iexact=wanted["by"])
    if wanted["action"]:
        rows = rows.filter(action=wanted["action"])
    if wanted["subject"]:
        rows = rows.filter(subject__startswith=wanted["subject"])
    listing = Listing(request, rows, sorts={"at": ("at", "id"), "by": ("by", "id")}, default="-at")
    if (file := export(request, _sheet(listing))) is not None:
        return file
    return render(
        request,
        "bureau/audit.html",
        {
            "listing": listing,
            "wanted": wanted,
            "from_on": from_on,
            "until_on": until_on,
            "trail": [(_("Audit"), None)],
        },
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def told(detail: dict[str, Any]) -> str:
    """The detail of a record in one line, as it was written."""
    return "; ".join(f"{name}: {value}" for name, value in detail.items())


def _sheet(listing: Listing) -> Sheet:
    return Sheet(
        name="audit",
        title="audit",
        fields=(
            Field(_("When"), As.TIME, width=20),
            Field(_("Who"), width=20),
            Field(_("Channel"), width=10),
            Field(_("Action"), width=24),
            Field(_("About"), width=28),
            Field(_("Detail"), width=60),
        ),
        rows=(
            [one.at, one.by, one.channel, one.action, one.subject, told(one.detail)] for one in listing.rows
        ),
    )
