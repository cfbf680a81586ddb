"""Personal data: who asks to be erased, who decides; and how long each kind of data is kept."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As, Field
from ledger.journal.operations import Busy
from marketplace.accounts.models import Role
from marketplace.models import Erasure
from marketplace.privacy import erasing
from marketplace.privacy import retention as terms
from marketplace.privacy.copies import records_of
from marketplace.privacy.erasing import CannotErase
from marketplace.templatetags.yiquan import moment
from marketplace.web import scope
from marketplace.web.access import BUREAU, plays, roles
from marketplace.web.exports import Sheet, export
from marketplace.web.forms import Marked
from marketplace.web.registers.entry import reason
from marketplace.web.registers.table import Col, Filter, register_page
from providers.divisions.queries import ids_under

DECIDERS = frozenset({Role.BUREAU_APPROVER})
MARKS = {
    Erasure.State.ASKED: ("due", "hourglass-split"),
    Erasure.State.ERASED: ("ok", "check-circle-fill"),
    Erasure.State.DECLINED: ("no", "x-octagon-fill"),
    Erasure.State.WITHDRAWN: ("", "dash-circle"),
}


class DeclineForm(Marked):
    why = reason(gettext_lazy("Why is it refused? The person reads this."))


COLUMNS = [
    Col(
        "about", gettext_lazy("About"), lambda row: row.elder.code if row.elder else f"user:{row.user_id}",
        href=lambda row: reverse("bureau:erasure", args=[row.pk]),
    ),
    Col("asked", gettext_lazy("Asked for"), lambda row: row.asked_at, lambda row: moment(row.asked_at),
        kind=As.TIME, sort=("asked_at", "id"), width=20),
    Col("by", gettext_lazy("By"), lambda row: row.asked_by.shown_name,
        small=lambda row: _("at the desk") if row.at_desk else _("on the own pages")),
    Col("state", gettext_lazy("State"), lambda row: row.get_state_display(),
        mark=lambda row: MARKS[Erasure.State(row.state)], sort=("state", "id")),
    Col("decided", gettext_lazy("Decided"), lambda row: row.decided_at,
        lambda row: moment(row.decided_at) if row.decided_at else "", kind=As.TIME, width=20,
        small=lambda row: row.decided_by.shown_name if row.decided_by else ""),
]  # fmt: skip


def _seen(request: HttpRequest) -> QuerySet[Erasure]:
    """Of elders of one's division; of accounts for those who see the whole city."""
    rows = Erasure.objects.select_related("elder", "user", "asked_by", "decided_by")
    if scope.sees_whole_city(request.user):
        return rows
    mine = ids_under([request.user.division.code])  # type: ignore[union-attr]
    return rows.filter(elder__division__in=mine)


@roles(*BUREAU)
@require_safe
def erasures(request: HttpRequest) -> HttpResponseBase:
    """This page will list who asked to be erased: those that wait unless asked for others."""
    state = request.GET.get("state", "")
    rows = _seen(request)
    if state in Erasure.State.values:
        rows = rows.filter(state=state)
    return register_page(
        request,
        rows,
        COLUMNS,
        name="erasures",
        title=_("Personal data"),
        default="-asked",
        filters=[Filter("state", _("State"), state, list(Erasure.State.choices))],
        acts=[{"label": _("How long data are kept"), "href": reverse("bureau:retention")}],
        about=_(
            "Who asks to be erased is erased once an approver has decided and nothing is open. The person's fields go, the money stays."
        ),
        nothing=(
            _("Nobody has asked to be erased"),
            _("A clerk notes it on the elder's page of the register."),
        ),
        trail=[(_("Personal data"), None)],
    )


@roles(*BUREAU)
@require_http_methods(["GET", "HEAD", "POST"])
def erasure(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show one request: what is left, what is open, and take the decision."""
    found = get_object_or_404(_seen(request), pk=number)
    form = DeclineForm(request.POST if request.POST.get("decision") == "decline" else None)
    refusal: Any = ""
    decides = plays(request.user, DECIDERS)
    if request.method == "POST":
        try:
            if request.POST.get("decision") == "erase":
                erasing.erase(erasure=found, by=request.user, at=timezone.now())  # type: ignore[arg-type]
                messages.success(request, _("Erased. What was paid stays, under the code alone."))
                return redirect("bureau:erasure", number)
            if form.is_valid():
                erasing.decline(
                    erasure=found,
                    by=request.user,  # type: ignore[arg-type]
                    at=timezone.now(),
                    why=form.cleaned_data["why"],
                )
                messages.success(request, _("Refused; the person reads why."))
                return redirect("bureau:erasure", number)
        except (CannotErase, Busy) as refused:
            refusal = refused
            found = get_object_or_404(_seen(request), pk=number)
    waits = found.state == Erasure.State.ASKED
    records = records_of(found.elder) if found.elder and waits else []
    tone, mark = MARKS[Erasure.State(found.state)]
    return render(
        request,
        "bureau/erasure.html",
        {
            "one": found,
            "tone": tone,
            "mark": mark,
            "records": records,
            "left": erasing.vouchers_left(records, timezone.localdate()),
            "open": erasing.sentences_of_open(records),
            "deciding": waits and decides and found.asked_by_id != request.user.pk,
            "waits": waits,
            "form": form,
            "refusal": refusal,
            "trail": [(_("Personal data"), reverse("bureau:erasures")), (found.subject, None)],
        },
        status=422 if request.method == "POST" else 200,
    )


@roles(*BUREAU)
@require_safe
def retention(request: HttpRequest) -> HttpResponseBase:
    """This page will list each kind of data: how long and why it is kept, how much there is, when it was cleared."""
    seen = terms.latest()
    rows = [{"kind": kind, "last": seen.get(kind.name)} for kind in terms.KINDS]
    fields = (
        Field(_("Kind of data"), width=40),
        Field(_("Kept for days"), As.NUMBER, width=14),
        Field(_("Why"), width=60),
        Field(_("Then"), width=12),
        Field(_("Held"), As.NUMBER, width=12),
        Field(_("Oldest"), As.DATE, width=12),
        Field(_("Last looked through"), As.TIME, width=20),
        Field(_("Cleared then"), As.NUMBER, width=14),
    )
    sheet = Sheet("retention", "retention", fields, (_told(row["kind"], row["last"]) for row in rows))
    if (file := export(request, sheet)) is not None:
        return file
    trail = [(_("Personal data"), reverse("bureau:erasures")), (_("How long data are kept"), None)]
    return render(request, "bureau/retention.html", {"rows": rows, "trail": trail})


def _told(kind: Any, last: Any) -> list[Any]:
    words = [kind.label, kind.days, kind.why, kind.done]
    return [*words, *([last.held, last.oldest_on, last.at, last.cleared] if last else [None] * 4)]
