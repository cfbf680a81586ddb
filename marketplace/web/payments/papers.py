"""Payout lists and papers of what is handed over (缴款书) as PDF."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _

from marketplace.templatetags.yiquan import full_day, money, month_name
from marketplace.web.papers.render import compiled, frame, proof
from marketplace.web.trace.statements import steps
from marketplace.web.typeset import NoChineseFont
from providers.handover.operations import digest_of
from providers.models import Handover
from vouchers.models import Payout


def given(request: HttpRequest, make: Callable[[], bytes], *, name: str, back: str) -> HttpResponse:
    """The PDF that `make` gives, to be kept as `name`; the page `back` with the reason where this machine cannot."""
    try:
        data = make()
    except NoChineseFont as refusal:
        messages.error(request, str(refusal))
        return redirect(back)
    return HttpResponse(
        data,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def steps_of(payout: Payout) -> list[dict[str, Any]]:
    return steps(payout, list(payout.approvals.select_related("by").order_by("id")))


def payout_pdf(payout: Payout, headings: Mapping[str, Any], *, language: str) -> bytes:
    """The PDF of a list: its figures, what each place brought, the steps by role and day. No elder stands on it."""
    with translation.override(language):
        account = payout.payee
        by_place = (
            payout.lines.values("redemption__lease__code", "redemption__lease__premises__name", "taken_back")
            .annotate(sum=Sum("amount"))
            .order_by("redemption__lease__code", "taken_back")
        )
        told = {
            **frame(
                title=_("Payout list"),
                month=month_name(payout.month),
                number=payout.number,
                facts=[
                    (_("Operator"), f"{payout.operator.code} {payout.operator.name}"),
                    (_("Account holder"), account.get("holder", "")),
                    (_("Account number"), account.get("number", "")),
                    (_("Bank and branch"), account.get("bank", "")),
                    (_("Redemptions"), str(payout.redemptions)),
                    (_("Drawn up"), full_day(payout.drawn_at)),
                ],
            ),
            **proof(address="", digest=payout.digest),
            "figures": [
                [str(headings[name]), money(getattr(payout, name)), name == "to_pay"]
                for name in Payout.FIGURES
                if name != "held_back" or payout.held_back
            ],
            "tables": [
                {
                    "title": _("What each place brought"),
                    "headings": [_("Lease"), _("Premises"), _("Amount in yuan")],
                    "words": 2,
                    "wide": 1,
                    "rows": [
                        [
                            row["redemption__lease__code"],
                            row["redemption__lease__premises__name"],
                            money(-row["sum"] if row["taken_back"] else row["sum"]),
                        ]
                        for row in by_place
                    ],
                }
            ],
            "steps": [
                [one["title"], full_day(one["approval"].at) if one["approval"] else "–"]
                for one in steps_of(payout)
            ],
        }
    return compiled(told, at=payout.drawn_at)


def handover_pdf(handover: Handover, *, address: str, language: str) -> bytes:
    """The PDF of the paper that goes with rent handed over (缴款书); `address` is where its QR code leads."""
    with translation.override(language):
        lines = handover.lines.select_related("lease__premises", "lease__operator").order_by("lease__code")
        told = {
            **frame(
                title=_("Payment of rent to the treasury")
                if handover.owner.to_treasury
                else _("Rent handed to its owner"),
                month=_("received up to %(day)s") % {"day": full_day(handover.until_on)},
                number=handover.number,
                facts=[
                    (_("Owner"), handover.owner.name),
                    (_("Kind of owner"), handover.owner.get_kind_display()),
                    (_("The treasury's number (缴款书号)"), handover.treasury_no),
                    (_("Approved on"), full_day(handover.approved_at)),
                    (_("State"), handover.get_state_display()),
                ],
            ),
            **proof(address=address, digest=digest_of(handover)),
            "says": _("%(amount)s yuan of rent are handed over.") % {"amount": money(handover.amount)},
            "tables": [
                {
                    "title": _("From these leases"),
                    "headings": [_("Lease"), _("Premises"), _("Operator"), _("Amount in yuan")],
                    "words": 3,
                    "wide": 1,
                    "rows": [
                        [
                            line.lease.code,
                            line.lease.premises.name,
                            line.lease.operator.name,
                            money(line.amount),
                        ]
                        for line in lines
                    ],
                }
            ],
        }
    return compiled(told, at=handover.approved_at or handover.drawn_at)
