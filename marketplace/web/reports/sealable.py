"""The papers that the bureau's seal may be put on: what stands on each, where it is, which wait for it."""

import re
from datetime import date

from django.urls import NoReverseMatch, reverse

from ledger.models import Period, SealApproval
from marketplace.web.reports import monthly
from providers.handover import operations as handover
from providers.models import Handover, Lease, Reminder
from providers.reminders import operations as reminders
from vouchers.models import Paper, Payout, Statement
from vouchers.reports.monthly import report

HANDED = (Handover.State.APPROVED, Handover.State.PAID)
OFFERED = 20  # the newest of each kind
PAGES = {
    "JK": "payments:handover_pdf",
    "BF": "payments:payout",
    "CJ": "bureau:reminder_pdf",
    "DZ": "paper_pdf",
    "PZ": "paper_pdf",
}


def content_of(number: str) -> str:
    """The digest of what stands on a paper; empty where there is none that could be sealed."""
    if number.startswith("JK-"):
        found = Handover.objects.filter(number=number, state__in=HANDED).first()
        return handover.digest_of(found) if found else ""
    if number.startswith("BF-"):
        payout = Payout.objects.filter(number=number, state=Payout.State.APPROVED).first()
        return payout.digest if payout else ""
    if number.startswith("CJ-"):
        letter = Reminder.objects.filter(number=number).first()
        return reminders.digest_of(letter) if letter else ""
    if month := _month_of(number):
        whole = report(month, leases=Lease.objects.all(), whole_city=True)
        return monthly.digest_of(whole) if whole.places and whole.posted else ""
    paper = Paper.objects.filter(number=number).first()
    return str(paper.content["digest"]) if paper else ""


def _month_of(number: str) -> date | None:
    """The month of a monthly report's number."""
    found = re.fullmatch(r"YB-(20\d\d)(0[1-9]|1[0-2])", number)
    return date(int(found[1]), int(found[2]), 1) if found else None


def href_of(number: str) -> str:
    """Where a paper is looked at; empty for a number that bears none."""
    try:
        if month := _month_of(number):
            return reverse("reports:report", args=[month])
        return reverse(PAGES[number[:2]], args=[number])
    except (KeyError, NoReverseMatch):
        return ""


def waiting() -> list[str]:
    """The newest papers of each kind for which the seal was not allowed yet. One query a kind."""
    allowed = SealApproval.objects.order_by().values("paper")
    reports = set(allowed.filter(paper__startswith="YB-").values_list("paper", flat=True))
    locked = Period.objects.filter(month__in=Statement.objects.order_by().values("month"))
    months = locked.order_by("-month").values_list("month", flat=True)[:OFFERED]
    found = [number for number in map(monthly.number_of, months) if number not in reports]
    for rows in (
        Paper.objects.order_by("-id"),
        Payout.objects.filter(state=Payout.State.APPROVED).order_by("-id"),
        Handover.objects.filter(state__in=HANDED).order_by("-id"),
        Reminder.objects.order_by("-id"),
    ):
        found += rows.exclude(number__in=allowed).values_list("number", flat=True)[:OFFERED]
    return found
