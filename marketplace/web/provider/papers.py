"""The operator's papers: what is on file, until when, and what must be renewed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_safe

from ledger.files.write import As, Field
from marketplace.accounts.models import Role
from marketplace.templatetags.yiquan import full_day
from marketplace.web import scope
from marketplace.web.access import roles
from marketplace.web.exports import Sheet, export
from providers.models import Lease, Operator, Qualification
from providers.operators.queries import Standing

SOON_DAYS = 60

COLUMNS = (
    Field(gettext_lazy("Paper"), width=24),
    Field(gettext_lazy("On file"), width=36),
    Field(gettext_lazy("Counts until"), As.DATE, width=14),
    Field(gettext_lazy("Days left"), As.NUMBER, width=10),
    Field(gettext_lazy("State"), width=16),
    Field(gettext_lazy("Next step"), width=50),
)

MARKS = {"ok": "check-circle-fill", "due": "hourglass-split", "no": "x-octagon-fill"}


@dataclass(frozen=True)
class Paper:
    """`until` is the last day on which it counts, None when it has no end or is not there at all."""

    name: str
    on_file: str
    until: date | None
    left: int | None
    tone: str
    next_step: str
    href: str = ""

    @property
    def mark(self) -> str:
        return MARKS[self.tone]

    @property
    def label(self) -> str:
        if self.tone == "ok":
            return _("in order")
        if self.left is None:
            return _("missing")
        if self.left < 0:
            return _("has run out")
        return ngettext("%(n)s day left", "%(n)s days left", self.left) % {"n": self.left}


@roles(Role.OPERATOR_MANAGER)
@require_safe
def papers(request: HttpRequest) -> HttpResponseBase:
    """This page will list what the operator must have on file, with the days left."""
    operator: Operator = request.user.operator  # type: ignore[union-attr, assignment]
    now = timezone.localdate()
    leases = scope.leases(request.user)
    found = on_file(operator, leases, now)
    lines = ([one.name, one.on_file, one.until, one.left, one.label, one.next_step] for one in found)
    if (file := export(request, Sheet("papers", "papers", COLUMNS, lines))) is not None:
        return file
    return render(
        request,
        "office/papers.html",
        {
            "operator": operator,
            "papers": found,
            "checks": list(operator.safety_checks.order_by("-checked_on")),
            "suspensions": list(operator.suspensions.order_by("-starts_on")),
            "trail": [(_("Office"), reverse("office:today")), (pgettext("on file", "Papers"), None)],
        },
    )


def warnings(operator: Operator, leases: QuerySet[Lease], now: date) -> list[Paper]:
    """The papers that need a step within the next weeks."""
    return [paper for paper in on_file(operator, leases, now) if paper.tone != "ok"]


RENEW_CHECK = gettext_lazy("Arrange a fire and food safety check and send its date to the bureau.")


def on_file(operator: Operator, leases: QuerySet[Lease], now: date) -> list[Paper]:
    """Safety check, filing, leases and caregivers' certificates, in this order. Four queries."""
    latest = operator.safety_checks.order_by("-checked_on").values_list("checked_on", flat=True).first()
    until = Standing(latest, suspended=False).good_until
    found = [
        _paper(
            _("Safety check"),
            _("checked on %(day)s") % {"day": full_day(latest)} if latest else "",
            until,
            now,
            needed=True,
            next_step=str(RENEW_CHECK),
        ),
        Paper(
            _("Filing as an elder-care institution"),
            operator.filing_no,
            None,
            None,
            "ok" if operator.filing_no else "no",
            "" if operator.filing_no else _("Send the filing number to the bureau."),
        ),
    ]
    for lease in leases.filter(ends_on__gte=now - timedelta(days=SOON_DAYS)).select_related("premises"):
        found.append(
            _paper(
                _("Lease %(code)s") % {"code": lease.code},
                lease.premises.name,
                lease.ends_on,
                now,
                needed=True,
                next_step=_("Talk to the bureau about what comes after the lease."),
            )
        )
    return [*found, *_certificates(operator, now)]


def _certificates(operator: Operator, now: date) -> Iterator[Paper]:
    """Of each kind that a caregiver holds the one that counts longest; one long run out is no longer asked for."""
    held = Qualification.objects.filter(caregiver__operator=operator)
    held = held.exclude(caregiver__left_on__lte=now).exclude(valid_until__lt=now - timedelta(days=SOON_DAYS))
    last = held.order_by("caregiver__code", "kind", F("valid_until").desc(nulls_first=True), "-id")
    for one in last.distinct("caregiver__code", "kind").select_related("caregiver"):
        paper = _paper(
            _("%(name)s's certificate") % {"name": one.caregiver.name},
            f"{one.get_kind_display()} {one.number}",
            one.valid_until,
            now,
            needed=False,
            next_step=_("Have it renewed and add the new one: without it nobody can be sent."),
        )
        yield replace(paper, href=reverse("office:caregiver", args=[one.caregiver.code]))


def _paper(name: str, on_file: str, until: date | None, now: date, *, needed: bool, next_step: str) -> Paper:
    tone = "no" if needed and until is None else tone_of(until, now)
    left = (until - now).days if until else None
    return Paper(name, on_file, until, left, tone, "" if tone == "ok" else next_step)


def tone_of(until: date | None, now: date) -> str:
    """Of what counts until a day, or without an end: ok, due soon, no more."""
    if until is None:
        return "ok"
    return "no" if until < now else "due" if until <= now + timedelta(days=SOON_DAYS) else "ok"
