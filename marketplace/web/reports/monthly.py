"""The monthly report: on a page, as a workbook and as PDF, with the same figures."""

import hashlib
import json
import tempfile
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ledger.files.write import As, Bars, Field, SheetOf, write_book
from ledger.journal.queries import last_day
from marketplace.accounts.models import Role
from marketplace.templatetags.yiquan import full_day, money, month_name
from marketplace.web import scope, sheets
from marketplace.web.access import BUREAU, plays, roles
from marketplace.web.exports import XLSX
from marketplace.web.lists import Listing
from marketplace.web.papers.render import compiled, frame, proof
from marketplace.web.payments.papers import given
from vouchers.models import Statement
from vouchers.reports.monthly import Report
from vouchers.reports.monthly import report as gather

READERS = BUREAU | {Role.STREET_OFFICER}
HEADINGS = {**sheets.HEADINGS, "received": gettext_lazy("Cash received")}
SHOWN = ("charge", "applied", "cash_due", "received", "credit", "lapsed", "carry_out")
ELSEWHERE = gettext_lazy("of it for leases without a statement of the month")
VALUE = {
    "Issued": gettext_lazy("Issued"),
    "Redeemed": gettext_lazy("Redeemed"),
    "Expired": gettext_lazy("Expired"),
    "Voided": gettext_lazy("Voided"),
}
PAID_OUT = {
    "government": gettext_lazy("Government part"),
    "charity": gettext_lazy("Charity part"),
    "vouchers": gettext_lazy("Payout vouchers"),
    "reversed": gettext_lazy("Reversed since paid"),
    "to_pay": gettext_lazy("To pay"),
}


@roles(*READERS)
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """This page will list the months that have a report."""
    months = scope.statements(request.user).values("month").annotate(leases=Count("id")).order_by("-month")
    return render(
        request,
        "reports/index.html",
        {
            "months": list(months),
            "bureau": plays(request.user, BUREAU, city=True),
            "trail": [(_("Monthly reports"), None)],
        },
    )


def _of(request: HttpRequest, month: date) -> Report:
    found = gather(month, leases=scope.leases(request.user), whole_city=scope.sees_whole_city(request.user))
    if not found.places:
        raise Http404("no statements in this month")
    return found


@roles(*READERS)
@require_safe
def report(request: HttpRequest, month: date) -> HttpResponseBase:
    """This page will show a month in figures, with its bars; ?format=xlsx and ?format=pdf give the same as files."""
    found = _of(request, month)
    wanted = request.GET.get("format")
    if wanted == "xlsx":
        return _workbook(found)
    if wanted == "pdf":
        return given(request, lambda: _pdf(found), name=f"report-{month:%Y-%m}.pdf", back=request.path)
    most = max((value for *_rest, value in found.services), default=Decimal(0))
    return render(
        request,
        "reports/report.html",
        {
            "report": found,
            "listing": Listing(request, found.places, sorts={"lease": lambda one: one.lease.code}),
            "sums": [(name, HEADINGS[name], found.sums[name]) for name in SHOWN],
            "services": [(*row, f"{100 * row[-1] / most:.1f}" if most else "0") for row in found.services],
            "value": [
                (f"Equity:Vouchers:*:{name}", VALUE[name], amount) for name, amount in found.value.items()
            ],
            "payouts_title": _payouts_title(found),
            "last": last_day(month),
            "payouts": [(PAID_OUT[name], amount) for name, amount in found.payouts.items()],
            "trail": [
                (_("Monthly reports"), reverse("reports:index")),
                (month_name(month), None),
            ],
        },
    )


def _figures(found: Report) -> list[tuple[Any, Decimal]]:
    """The sums, and below the cash received what of it came for leases without a statement, where any did."""
    figures = []
    for name in SHOWN:
        figures.append((HEADINGS[name], found.sums[name]))
        if name == "received" and found.others:
            figures.append((ELSEWHERE, found.received_elsewhere))
    return figures


def _register(found: Report) -> SheetOf:
    """The register (台账): one line a lease."""
    return SheetOf(
        title=_("Register"),
        fields=(
            Field(_("Lease"), width=10),
            Field(_("Premises"), width=24),
            Field(_("Former use"), width=14),
            Field(_("Owner"), width=24),
            Field(_("Division"), width=18),
            Field(_("Floor area in m²"), As.NUMBER, width=12),
            Field(_("Operator"), width=24),
            *(Field(HEADINGS[name], As.AMOUNT, width=14) for name in (*Statement.FIGURES, "received")),
            Field(_("Redemptions"), As.NUMBER, width=12),
            Field(_("Held for review"), As.NUMBER, width=12),
            Field(_("State"), width=16),
        ),
        rows=[
            [
                one.lease.code,
                one.lease.premises.name,
                one.lease.premises.get_former_use_display(),
                one.lease.premises.owner,
                one.lease.premises.division.name,
                one.lease.premises.floor_area_m2,
                one.lease.operator.name,
                *(getattr(one.statement, name) for name in Statement.FIGURES),
                one.received,
                one.statement.redemptions,
                one.statement.under_review,
                one.statement.get_state_display(),
            ]
            for one in found.places
        ]
        + [
            [
                lease.code,
                lease.premises.name,
                lease.premises.get_former_use_display(),
                lease.premises.owner,
                lease.premises.division.name,
                lease.premises.floor_area_m2,
                lease.operator.name,
                *(None for _name in Statement.FIGURES),
                amount,
                None,
                None,
                _("no statement of the month"),
            ]
            for lease, amount in found.others
        ],
        bars=Bars(_("Offset and cash due by lease"), 1, (17, 19)),
    )


def _payouts_title(found: Report) -> str:
    """What the sums of the lists are called: of some that may still change, so."""
    if not found.payouts_open:
        return _("Payouts")
    return ngettext(
        "Payouts, %(n)s list not approved yet", "Payouts, %(n)s lists not approved yet", found.payouts_open
    ) % {"n": found.payouts_open}


def _workbook(found: Report) -> FileResponse:
    summary: list[list[Any]] = [[str(name), amount] for name, amount in _figures(found)]
    summary += [[f"{_('Voucher value')}: {VALUE[name]}", amount] for name, amount in found.value.items()]
    summary += [
        [f"{_payouts_title(found)}: {PAID_OUT[name]}", amount] for name, amount in found.payouts.items()
    ]
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    write_book(
        file,
        [
            SheetOf(
                month_name(found.month),
                (Field(_("Figure"), width=30), Field(_("Amount in yuan"), As.AMOUNT, width=16)),
                summary,
                Bars(_("The month in figures"), 1, (2,)),
            ),
            SheetOf(
                _("Services"),
                (
                    Field(_("Service"), width=24),
                    Field(_("Quantity"), As.NUMBER, width=12),
                    Field(_("Voucher value"), As.AMOUNT, width=16),
                ),
                [list(row[1:]) for row in found.services],
                Bars(_("Voucher value by service"), 1, (3,)),
            ),
            _register(found),
        ],
    )
    file.seek(0)
    return FileResponse(
        file, as_attachment=True, filename=f"report-{found.month:%Y-%m}.xlsx", content_type=XLSX
    )


def number_of(month: date) -> str:
    """The number that a month's report of the whole city bears."""
    return f"YB-{month:%Y%m}"


def digest_of(found: Report) -> str:
    """SHA-256 over the sums and each place's statement digest."""
    content = [
        f"{found.month:%Y-%m}",
        {name: str(value) for name, value in found.sums.items()},
        {name: str(value) for name, value in {**found.value, **found.payouts}.items()},
        [[one.lease.code, one.statement.digest, str(one.received)] for one in found.places]
        + [[lease.code, "", str(amount)] for lease, amount in found.others],
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _bars(rows: list[tuple[Any, Decimal]]) -> list[list[Any]]:
    most = max((amount for _name, amount in rows), default=Decimal(0))
    return [
        [str(name), money(amount), float(max(amount, Decimal(0)) / most) if most > 0 else 0.0]
        for name, amount in rows
    ]


def _pdf(found: Report) -> bytes:
    with translation.override(get_language() or "zh-hans"):
        figures = _figures(found)
        told = {
            **frame(
                title=_("Monthly report"),
                month=month_name(found.month),
                number=number_of(found.month) if found.value else f"{found.month:%Y-%m}",
                facts=[
                    (_("Leases"), str(len(found.places))),
                    (_("Redemptions"), str(found.redemptions)),
                    (_("Held for review"), str(found.under_review)),
                    (_("Inspections"), f"{found.inspections}"),
                    (_("Findings, still open"), f"{found.findings} / {found.findings_open}"),
                    (
                        _("State"),
                        _("all statements are posted")
                        if found.posted
                        else _("not all statements are posted yet: figures may change"),
                    ),
                    (_("Drawn up"), full_day(timezone.localdate())),
                ],
            ),
            **proof(address="", digest=digest_of(found)),
            "figures": [[str(name), money(amount), False] for name, amount in figures],
            "bars": [
                {
                    "title": _("Rent and cash"),
                    "rows": _bars([(HEADINGS[n], found.sums[n]) for n in SHOWN[:4]]),
                },
                {
                    "title": _("Voucher value by service"),
                    "rows": _bars([(n, v) for _code, n, _q, v in found.services]),
                },
                *(
                    [
                        {
                            "title": _("Voucher value, as in the books"),
                            "rows": _bars([(VALUE[n], v) for n, v in found.value.items()]),
                        }
                    ]
                    if found.value
                    else []
                ),
            ],
            "tables": [
                {
                    "title": _("Register"),
                    "headings": [_("Lease"), _("Premises"), *(str(HEADINGS[n]) for n in SHOWN[:4])],
                    "words": 2,
                    "wide": 1,
                    "size": 8,
                    "rows": [
                        [
                            one.lease.code,
                            one.lease.premises.name,
                            *(money(getattr(one.statement, n)) for n in SHOWN[:3]),
                            money(one.received),
                        ]
                        for one in found.places
                    ]
                    + [
                        [lease.code, lease.premises.name, "–", "–", "–", money(amount)]
                        for lease, amount in found.others
                    ],
                }
            ],
        }
    return compiled(told, at=timezone.now())
