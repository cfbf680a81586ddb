"""The lists behind figures: redemptions that stand, vouchers, lines of the journal. marketplace/web/opened.py leads here."""

import re
from datetime import timedelta
from typing import Any

from django.db.models import DecimalField, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ledger.files.write import As
from ledger.journal.queries import last_day
from ledger.models import Account, Transfer
from ledger.money import ZERO
from marketplace.overview.operations import SOON_DAYS
from marketplace.templatetags.yiquan import entry_kind, iso, money
from marketplace.web import scope
from marketplace.web.access import BUREAU, REGISTER_READERS, STATEMENT_READERS, plays, roles, whole_city
from marketplace.web.forms import asked_day, asked_month
from marketplace.web.registers.table import Col, Filter, register_page
from marketplace.web.registers.words import FIELDS
from providers.divisions.queries import ids_under
from providers.models import Division, Service
from vouchers.models import Movement, Redemption, Voucher


def _amount(name: str, label: Any, *, sort: tuple[str, ...] = ()) -> Col:
    return Col(
        name, label, lambda row: getattr(row, name), shown=lambda row: money(getattr(row, name)), kind=As.AMOUNT,
        sort=sort, width=14,
    )  # fmt: skip


PARTS = {
    "government": FIELDS["government"],
    "charity": FIELDS["charity"],
    "vouchers": gettext_lazy("Voucher value"),
}
SERVED = [
    Col(
        "number", gettext_lazy("Redemption"), lambda row: row.number,
        href=lambda row: reverse("redemption", args=[row.number]), sort=("id",), width=16,
    ),
    Col(
        "day", gettext_lazy("Service date"), lambda row: row.service_on, shown=lambda row: iso(row.service_on),
        kind=As.DATE, sort=("service_on", "id"), width=12,
    ),
    Col("elder", gettext_lazy("Elder"), lambda row: row.elder.masked_name, width=10),
    Col(
        "premises", gettext_lazy("Premises"), lambda row: row.lease.premises.name,
        small=lambda row: row.lease.code, width=24,
    ),
    Col("service", FIELDS["service"], lambda row: row.service.name, width=20),
    Col("quantity", gettext_lazy("Quantity"), lambda row: row.quantity, kind=As.NUMBER, width=10),
    *(_amount(name, label, sort=(name, "id")) for name, label in PARTS.items()),
]  # fmt: skip


@roles(*STATEMENT_READERS)
@require_safe
def redemptions(request: HttpRequest) -> HttpResponseBase:
    """This page will list what was served from day to day and stands, with what it claims, and its sums."""
    today = timezone.localdate()
    first = asked_day(request.GET.get("from")) or today.replace(day=1)
    last = asked_day(request.GET.get("until")) or max(last_day(first), first)
    rows: QuerySet[Redemption] = Redemption.objects.filter(
        service_on__gte=first, service_on__lte=last, reversed_on=None
    )
    if not scope.sees_whole_city(request.user):
        rows = rows.filter(lease__in=scope.leases(request.user).values("pk"))
    wanted = _asked(request, "service", "lease", "part")
    if wanted["service"]:
        rows = rows.filter(service__code=wanted["service"])
    if wanted["lease"]:
        rows = rows.filter(lease__code=wanted["lease"].upper())
    if wanted["part"] in PARTS:
        rows = rows.filter(**{f"{wanted['part']}__gt": 0})
    sums = rows.aggregate(n=Sum("quantity"), **{f"sum_{name}": Sum(name) for name in PARTS})
    said = [f"{label} {money(sums[f'sum_{name}'] or ZERO)}" for name, label in PARTS.items()]
    return register_page(
        request,
        rows.select_related("elder", "service", "lease__premises"),
        SERVED,
        name="redemptions",
        title=_("Redemptions"),
        default="day",
        about=_("Those that stand: %(n)s units; %(sums)s.") % {"n": sums["n"] or 0, "sums": ", ".join(said)},
        filters=[
            Filter("from", _("From"), iso(first), kind="date"),
            Filter("until", _("Until"), iso(last), kind="date"),
            Filter("service", _("Service"), wanted["service"], _services()),
            Filter("part", _("Part"), wanted["part"], list(PARTS.items())),
            Filter("lease", _("Lease"), wanted["lease"]),
        ],
        nothing=(_("Nothing fits this filter"), _("Take out a word or show all.")),
        trail=_trail(request, _("Redemptions")),
    )


SHOWN = {
    "redeemed": gettext_lazy("something of it redeemed"),
    "left": gettext_lazy("something of it left"),
    "soon": gettext_lazy("runs out within 30 days"),
    "lost": gettext_lazy("expired or voided"),
    "expired": gettext_lazy("expired"),
    "voided": gettext_lazy("voided"),
}
SPENT = Movement.objects.filter(
    voucher=OuterRef("pk"), kind__in=Movement.SPENDING, redemption__reversed_on=None
)  # fmt: skip
OPEN = Q(expired_on=None, voided_on=None)


ISSUED = [
    Col(
        "serial", gettext_lazy("Voucher"), lambda row: row.serial,
        href=lambda row: reverse("voucher", args=[row.serial]) if row.seen else "", sort=("id",), width=18,
    ),
    Col("elder", gettext_lazy("Elder"), lambda row: row.elder.masked_name, small=lambda row: row.elder.code, width=10),
    Col("place", gettext_lazy("Lives in"), lambda row: row.elder.division.name, width=20),
    _amount("face_value", gettext_lazy("Issued"), sort=("face_value", "id")),
    _amount("spent", gettext_lazy("Redeemed")),
    _amount("left", gettext_lazy("Left")),
    _amount("lost", gettext_lazy("Expired or voided")),
    Col(
        "until", FIELDS["valid_until"], lambda row: row.valid_until, shown=lambda row: iso(row.valid_until),
        kind=As.DATE, sort=("valid_until", "id"), width=12,
    ),
]  # fmt: skip


@roles(*REGISTER_READERS)
@require_safe
def vouchers(request: HttpRequest) -> HttpResponseBase:
    """This page will list vouchers, of a programme, of a division or both, with what became of each."""
    own: Division | None = request.user.division  # type: ignore[union-attr]
    rows: QuerySet[Voucher] = Voucher.objects.all()
    if own is not None:
        rows = rows.filter(elder__division__in=ids_under([own.code]))
    wanted = _asked(request, "programme", "division", "show")
    if wanted["programme"]:
        rows = rows.filter(programme__code=wanted["programme"].upper())
    if wanted["division"]:
        rows = rows.filter(elder__division__in=ids_under([wanted["division"]]))
    rows = _of_show(rows, wanted["show"])
    sums = rows.aggregate(face=Sum("face_value"), left=Sum(F("remaining") + F("held")))
    money_ = DecimalField(max_digits=12, decimal_places=2)
    told = rows.select_related("programme", "elder__division").annotate(
        spent=Coalesce(
            Subquery(SPENT.order_by().values("voucher").annotate(sum=Sum("amount")).values("sum"), output_field=money_),
            Value(ZERO),
        ),
        left=F("remaining") + F("held"),
        lost=F("face_value") - F("spent") - F("remaining") - F("held"),
        seen=Exists(scope.vouchers(request.user).filter(pk=OuterRef("pk"))),
    )  # fmt: skip
    return register_page(
        request,
        told,
        ISSUED,
        name="vouchers",
        title=_("Vouchers"),
        about=_("Issued with %(face)s yuan; %(left)s of it are left now.")
        % {"face": money(sums["face"] or ZERO), "left": money(sums["left"] or ZERO)},
        filters=[
            Filter("programme", _("Programme"), wanted["programme"]),
            Filter("division", _("Lives in"), wanted["division"], _divisions(own)),
            Filter("show", _("Show"), wanted["show"], list(SHOWN.items())),
        ],
        nothing=(_("Nothing fits this filter"), _("Take out a word or show all.")),
        trail=_trail(request, _("Vouchers")),
    )


def _of_show(rows: QuerySet[Voucher], show: str) -> QuerySet[Voucher]:
    today = timezone.localdate()
    soon = today + timedelta(days=SOON_DAYS)
    found: dict[str, Q] = {
        "redeemed": Q(Exists(SPENT)),
        "left": Q(remaining__gt=0) | Q(held__gt=0),
        "soon": OPEN & Q(remaining__gt=0, valid_until__gte=today, valid_until__lte=soon),
        "lost": ~OPEN,
        "expired": Q(expired_on__isnull=False),
        "voided": Q(voided_on__isnull=False),
    }
    return rows.filter(found[show]) if show in found else rows


LINES = [
    Col(
        "number", gettext_lazy("Entry"), lambda row: row.entry_id,
        href=lambda row: reverse("entry", args=[row.entry_id]), sort=("entry_id", "line"), width=12,
    ),
    Col(
        "day", gettext_lazy("Dated"), lambda row: row.entry.dated_on, shown=lambda row: iso(row.entry.dated_on),
        kind=As.DATE, sort=("entry__dated_on", "entry_id", "line"), width=12,
    ),
    Col("kind", gettext_lazy("What for"), lambda row: entry_kind(row.entry.kind), small=lambda row: row.entry.link, width=24),
    Col("debit", gettext_lazy("Debited"), lambda row: row.debit.name, width=40),
    Col("credit", gettext_lazy("Credited"), lambda row: row.credit.name, width=40),
    Col(
        "amount", gettext_lazy("Amount in yuan"), lambda row: row.amount, shown=lambda row: money(row.amount),
        kind=As.AMOUNT, sort=("amount", "entry_id", "line"), width=14,
    ),
]  # fmt: skip


@roles(*BUREAU)
@whole_city
@require_safe
def journal(request: HttpRequest) -> HttpResponseBase:
    """This page will list the lines of an account (a star stands for any part of its name), of a month or of all.

    For those who see the whole city: an account is the whole city's.
    """
    wanted = _asked(request, "account", "month")
    month = asked_month(wanted["month"]) or (
        None if wanted["account"] else timezone.localdate().replace(day=1)
    )
    rows = Transfer.objects.select_related("entry", "debit", "credit")
    if month:
        rows = rows.filter(entry__dated_on__gte=month, entry__dated_on__lte=last_day(month))
    said = _("Debited and credited by each entry of the journal.")
    if wanted["account"]:
        name = "[^:]+".join(re.escape(part) for part in wanted["account"].split("*"))
        found = list(Account.objects.filter(name__regex=f"^{name}$").values_list("pk", flat=True))
        rows = rows.filter(Q(debit__in=found) | Q(credit__in=found))
        sums = rows.aggregate(
            debited=Sum("amount", filter=Q(debit__in=found)),
            credited=Sum("amount", filter=Q(credit__in=found)),
        )
        debited, credited = sums["debited"] or ZERO, sums["credited"] or ZERO
        said = _("Debited %(debited)s, credited %(credited)s: the difference is %(rest)s.") % {
            "debited": money(debited), "credited": money(credited), "rest": money(abs(debited - credited)),
        }  # fmt: skip
    return register_page(
        request,
        rows,
        LINES,
        name="journal",
        title=_("Journal"),
        default="-number",
        about=said,
        filters=[
            Filter("account", _("Account, with * for any part"), wanted["account"]),
            Filter("month", _("Month"), f"{month:%Y-%m}" if month else "", kind="month"),
        ],
        nothing=(_("Nothing fits this filter"), _("Take out a word or show all.")),
        trail=_trail(request, _("Journal")),
    )


def _asked(request: HttpRequest, *names: str) -> dict[str, str]:
    return {name: request.GET.get(name, "").strip()[:80] for name in names}


def _trail(request: HttpRequest, name: str) -> list[tuple[str, str | None]]:
    overseer = plays(request.user, REGISTER_READERS)
    return [*([(_("Overview"), reverse("bureau:overview"))] if overseer else []), (name, None)]


def _services() -> list[tuple[str, str]]:
    return list(Service.objects.order_by("code").values_list("code", "name"))


def _divisions(own: Division | None) -> list[tuple[str, str]]:
    rows = Division.objects.filter(level__in=[Division.Level.STREET, Division.Level.COMMUNITY])
    if own is not None:
        rows = rows.filter(pk__in=ids_under([own.code]))
    return list(rows.order_by("code").values_list("code", "name"))
