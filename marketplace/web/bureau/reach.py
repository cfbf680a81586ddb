"""Whom vouchers reach: by street or community, and who holds some and never used one."""

from typing import Any

from django.db.models import DecimalField, Max, OuterRef, Q, Subquery, Sum
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from ledger.audit.operations import record
from ledger.files.write import As, Field
from marketplace.accounts.models import Role
from marketplace.overview.models import Snapshot
from marketplace.overview.queries import Places, never_used
from marketplace.templatetags.yiquan import iso, money
from marketplace.web.access import BUREAU, roles
from marketplace.web.exports import Sheet, export
from marketplace.web.registers.table import Col, register_page
from marketplace.web.registers.words import FIELDS
from providers.divisions.queries import ids_under
from providers.models import Division
from vouchers.models import Elder, Voucher

READERS = BUREAU | {Role.STREET_OFFICER}


@roles(*READERS)
@require_safe
def reach(request: HttpRequest) -> HttpResponseBase:
    """This page will show for each street, or community of one's own street, what was given, spent and is left."""
    snapshot = Snapshot.objects.first()
    division: Division | None = request.user.division  # type: ignore[union-attr]
    places = Places(snapshot) if snapshot else None
    rows = places.parts(division) if places else []
    if (file := export(request, _sheet(rows))) is not None:
        return file
    return render(
        request,
        "bureau/reach.html",
        {
            "snapshot": snapshot,
            "rows": rows,
            "sum": places.under(division) if places else None,
            "division": division,
            "trail": [(_("Overview"), reverse("bureau:overview")), (_("Whom vouchers reach"), None)],
        },
    )


def _sheet(rows: list[dict[str, Any]]) -> Sheet:
    return Sheet(
        name="reach",
        title="reach",
        fields=(
            Field(_("Division"), width=20),
            Field(_("Elders with vouchers"), As.NUMBER, width=12),
            Field(_("Never used one"), As.NUMBER, width=12),
            Field(_("Issued"), As.AMOUNT, width=14),
            Field(_("Redeemed"), As.AMOUNT, width=14),
            Field(_("Expired or voided"), As.AMOUNT, width=14),
            Field(_("Left"), As.AMOUNT, width=14),
            Field(_("of it within 30 days"), As.AMOUNT, width=14),
        ),
        rows=(
            [row["division"].name, *(row[name] for name in ("holders", "never", "issued", "redeemed", "lost", "left", "soon"))]
            for row in rows
        ),
    )  # fmt: skip


COLUMNS = [
    Col("code", gettext_lazy("Elder"), lambda row: row.code, small=lambda row: row.masked_name, sort=("code",)),
    Col("name", gettext_lazy("Name"), lambda row: row.masked_name, page=False),
    Col("place", gettext_lazy("Lives in"), lambda row: row.division.name, sort=("division__code", "code"), width=20),
    Col("tail", gettext_lazy("Phone ends in"), lambda row: row.phone_tail, width=10),
    Col("ability", gettext_lazy("Ability level"), lambda row: row.ability_level, kind=As.NUMBER, width=10),
    Col(
        "left", gettext_lazy("Left"), lambda row: row.left, shown=lambda row: money(row.left), kind=As.AMOUNT,
        sort=("left", "code"), width=14,
    ),
    Col(
        "until", FIELDS["valid_until"], lambda row: row.until, shown=lambda row: iso(row.until), kind=As.DATE,
        sort=("until", "code"), width=14,
    ),
]  # fmt: skip


@roles(*READERS)
@require_safe
def unused(request: HttpRequest, division: str) -> HttpResponseBase:
    """This page will list who of a street or community was given vouchers and never used one; names are masked."""
    own: Division | None = request.user.division  # type: ignore[union-attr]
    seen = Division.objects.all() if own is None else Division.objects.filter(pk__in=ids_under([own.code]))
    place = get_object_or_404(
        seen.filter(level__in=[Division.Level.STREET, Division.Level.COMMUNITY]), code=division
    )
    today = timezone.localdate()
    open_ = (
        Voucher.objects.filter(elder=OuterRef("pk"), expired_on=None, voided_on=None, valid_until__gte=today)
        .exclude(Q(remaining=0))
        .order_by()
        .values("elder")
    )
    rows = never_used(
        Elder.objects.filter(division__in=ids_under([place.code])).select_related("division")
    ).annotate(
        left=Subquery(open_.annotate(sum=Sum("remaining")).values("sum"), output_field=DecimalField()),
        until=Subquery(open_.annotate(last=Max("valid_until")).values("last")),
    )
    if request.GET.get("format") in ("csv", "xlsx"):
        detail = {"division": place.code}
        record(by=request.user, at=timezone.now(), action="export_unused", subject="elders", detail=detail)
    return register_page(
        request,
        rows,
        COLUMNS,
        name="unused",
        title=_("Never used a voucher: %(place)s") % {"place": place.name},
        default="code",
        about=_("Living elders who were given vouchers and never spent one. A call or a visit may be all it takes."),
        nothing=(_("Everybody here has used one"), _("Nobody of this place holds vouchers without ever having used one.")),
        trail=[
            (_("Overview"), reverse("bureau:overview")),
            (_("Whom vouchers reach"), reverse("bureau:reach")),
            (place.name, None),
        ],
    )  # fmt: skip
