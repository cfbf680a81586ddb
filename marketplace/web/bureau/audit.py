"""Who did and saw what: the audit, searched and exported. It is only ever added to."""

from datetime import timedelta
from typing import Any

from django.db.models import TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ledger.audit.models import SEEN, Record
from ledger.audit.operations import record, record_seen
from ledger.files.write import As, Field
from ledger.journal.queries import midnight
from marketplace.accounts.models import User, canonical
from marketplace.web.access import AUDIT_READERS, roles, whole_city
from marketplace.web.exports import Sheet, export
from marketplace.web.forms import asked_day
from marketplace.web.lists import Listing

ASKED = ("by", "action", "subject", "word", "seen")
DAYS = 7  # shown when nothing is asked for
MOST = 10_000  # so many are counted and paged; a file holds all of them


@roles(*AUDIT_READERS)
@whole_city
@require_safe
def records(request: HttpRequest) -> HttpResponseBase:
    """This page will list audit records, newest first: by whom, what, about what, when; who read them is one more."""
    wanted = {name: request.GET.get(name, "").strip()[:80] for name in ASKED}
    today = timezone.localdate()
    from_on = asked_day(request.GET.get("from"))
    until_on = asked_day(request.GET.get("until")) or today
    if from_on is None and not wanted["subject"]:
        from_on = until_on - timedelta(days=DAYS)
    rows = Record.objects.filter(at__lt=midnight(until_on + timedelta(days=1)))
    if from_on:
        rows = rows.filter(at__gte=midnight(from_on))
    if wanted["by"]:
        rows = rows.filter(by=_name(wanted["by"]))
    if wanted["action"]:
        rows = rows.filter(action=wanted["action"])
    if wanted["subject"]:
        rows = rows.filter(subject__startswith=wanted["subject"])
    if wanted["seen"]:
        rows = rows.filter(action__in=SEEN)
    if wanted["word"]:
        rows = rows.annotate(text=Cast("detail", TextField())).filter(text__icontains=wanted["word"])
    listing = Listing(request, rows, sorts={"at": ("at", "id"), "by": ("by", "id")}, default="-at", most=MOST)
    # Not what was typed, which may be a name.
    act: dict[str, Any] = {"by": request.user, "at": timezone.now(), "subject": "audit"}
    act["detail"] = {
        "from": str(from_on or ""),
        "until": str(until_on),
        "asked": [n for n in ASKED if wanted[n]],
    }
    if (file := export(request, _sheet(listing))) is not None:
        record(action="export_audit", **act)
        return file
    record_seen(action="read_audit", **act)
    return render(
        request,
        "bureau/audit.html",
        {
            "listing": listing,
            "wanted": wanted,
            "most": MOST,
            "from_on": from_on,
            "until_on": until_on,
            "trail": [(_("Audit"), None)],
        },
    )


def _name(typed: str) -> str:
    """The user name as it is written, however it was typed; the name of a terminal or task as it stands."""
    known = User.objects.filter(username_key=canonical(typed)).values_list("username", flat=True).first()
    return known or typed


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
