"""The operator's work: what waits for a yes, for somebody to go, what is under way and done; one order; the round."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_http_methods

from ledger.audit.operations import record
from ledger.files.write import As, Field
from marketplace.accounts.models import Role
from marketplace.fulfilment import dispatch
from marketplace.fulfilment.dispatch import Candidate, CannotDispatch
from marketplace.fulfilment.models import WorkOrder
from marketplace.fulfilment.routes import Door, in_order
from marketplace.web import scope
from marketplace.web.access import roles
from marketplace.web.evidence import TONES, shown_of
from marketplace.web.exports import Sheet, export
from marketplace.web.forms import Marked, asked_day, row_number
from providers.models import Caregiver, OrderTerms
from providers.ordering.times import instant
from providers.premises.queries import centres_of
from vouchers.models import Hold, Visit
from vouchers.redemption.refusals import SENTENCES as OF_REDEMPTIONS
from vouchers.visits.evidence import Grade

State = WorkOrder.State
MOST = 300
"""So many single orders are shown; a week of more is looked at day by day."""

GROUPS = {
    "accept": gettext_lazy("Waiting for your yes"),
    "assign": gettext_lazy("Who goes?"),
    "assigned": gettext_lazy("Sent"),
    "underway": gettext_lazy("Under way"),
    "word": gettext_lazy("Over, the elder is still to be asked"),
    "stuck": gettext_lazy("Over, but not paid"),
    "done": gettext_lazy("Done"),
    "closed": gettext_lazy("Did not take place"),
}


COLUMNS = (
    Field(gettext_lazy("Order"), width=16),
    Field(gettext_lazy("From"), As.TIME, width=20),
    Field(gettext_lazy("Until"), As.TIME, width=20),
    Field(gettext_lazy("Premises"), width=24),
    Field(gettext_lazy("Service"), width=20),
    Field(gettext_lazy("Where"), width=14),
    Field(gettext_lazy("Elder"), width=10),
    Field(gettext_lazy("Community"), width=18),
    Field(gettext_lazy("Quantity"), As.NUMBER, width=10),
    Field(gettext_lazy("Caregiver"), width=14),
    Field(gettext_lazy("State"), width=24),
    Field(gettext_lazy("Checked in"), As.TIME, width=20),
    Field(gettext_lazy("Checked out"), As.TIME, width=20),
    Field(gettext_lazy("Evidence"), width=24),
    Field(gettext_lazy("Why not"), width=30),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One order on the board."""

    work: WorkOrder
    group: str
    visit: Visit | None

    @property
    def tone(self) -> str:
        return TONES[Grade(self.visit.grade)][0] if self.visit else ""

    @property
    def mark(self) -> str:
        return TONES[Grade(self.visit.grade)][1] if self.visit else ""


@dataclass(slots=True)
class Sitting:
    """Everybody who comes to one sitting, or is brought something in one window."""

    starts_at: datetime
    offer: Any
    at_home: bool
    orders: int = 0
    portions: int = 0
    waiting: int = 0
    unsent: int = 0
    done: int = 0
    over: int = 0
    works: list[WorkOrder] = field(default_factory=list)


def _works(request: HttpRequest) -> QuerySet[WorkOrder]:
    return scope.work_orders(request.user).select_related(
        "order__elder__division",
        "order__order",
        "hold__visit",
        "offer__service",
        "offer__premises",
        "offer__order_terms",
        "caregiver",
        "appointment__caregiver",
    )


def group_of(work: WorkOrder) -> str:
    """Where an order stands on the board; the hold is the truth of what is paid."""
    visit = getattr(work.hold, "visit", None)
    if work.state == State.DONE or work.hold.state == Hold.State.DELIVERED:
        return "done"
    if not work.is_open or work.hold.state == Hold.State.RELEASED:
        return "closed"
    if visit is not None and visit.left_at is not None:
        return "stuck" if visit.undelivered else "word"
    return {
        State.PLACED: "accept",
        State.ACCEPTED: "assign",
        State.ASSIGNED: "assigned",
        State.UNDERWAY: "underway",
    }[State(work.state)]


@roles(Role.OPERATOR_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def board(request: HttpRequest) -> HttpResponseBase:
    """This page will show a day's or a week's work, what waits first; and accept what is ticked. Fixed queries."""
    first, days = _span(request)
    if request.method == "POST":
        return _accept(request)
    begins = instant(first, time())
    works = _works(request).filter(starts_at__gte=begins, starts_at__lt=begins + timedelta(days=days))
    works = works.order_by("starts_at", "id")
    name = f"work-{first}" if days == 1 else f"work-{first}-{days}-days"
    if (file := export(request, Sheet(name, name, COLUMNS, _lines(works)))) is not None:
        return file
    rows, sittings = sort_out(works[: 20 * MOST])
    grouped = {name: [row for row in rows if row.group == name] for name in GROUPS}
    return render(
        request,
        "office/work.html",
        {
            "first": first,
            "last": first + timedelta(days=days - 1),
            "week": days > 1,
            "before": first - timedelta(days=days),
            "after": first + timedelta(days=days),
            "today": timezone.localdate(),
            "groups": [
                (name, GROUPS[name], found[:MOST], len(found)) for name, found in grouped.items() if found
            ],
            "sittings": sittings,
            "empty": not rows and not sittings,
            "trail": [(_("Office"), reverse("office:today")), (pgettext("orders", "Work"), None)],
        },
    )


def _lines(works: QuerySet[WorkOrder]) -> Iterator[list[Any]]:
    """Each order with what was told of it; elders stand masked."""
    for work in works.iterator(chunk_size=1000):
        visit = getattr(work.hold, "visit", None)
        goes = work.caregiver or (work.appointment.caregiver if work.appointment else None)
        yield [
            work.order.order.number,
            work.starts_at,
            work.ends_at,
            work.offer.premises.name,
            work.offer.service.name,
            work.get_where_display(),
            work.order.elder.masked_name,
            work.order.elder.division.name,
            work.quantity,
            goes.name if goes else "",
            GROUPS[group_of(work)],
            visit and visit.arrived_at,
            visit and visit.left_at,
            visit.get_grade_display() if visit else "",
            work.closed_for,
        ]


def sort_out(works: Iterable[WorkOrder]) -> tuple[list[Row], list[Sitting]]:
    """Visits one by one; sittings and delivery windows as a whole."""
    rows: list[Row] = []
    sittings: dict[tuple[datetime, int], Sitting] = {}
    for work in works:
        group = group_of(work)
        if work.booking_id is None:
            rows.append(Row(work, group, getattr(work.hold, "visit", None)))
            continue
        key = (work.starts_at, work.offer_id)
        home = work.where == OrderTerms.Where.HOME
        sitting = sittings.setdefault(key, Sitting(work.starts_at, work.offer, home))
        if group == "closed":
            continue
        sitting.orders += 1
        sitting.portions += work.quantity
        sitting.waiting += group == "accept"
        sitting.unsent += home and group in ("accept", "assign")
        sitting.done += group == "done"
        sitting.works.append(work)
    return rows, [sitting for _key, sitting in sorted(sittings.items()) if sitting.orders]


def _accept(request: HttpRequest) -> HttpResponse:
    """Everything that is named and still waits; what was accepted or cancelled meanwhile is passed over."""
    wanted = [row_number(one) for one in request.POST.getlist("work")]
    done = 0
    for work in _works(request).filter(pk__in=wanted, state=State.PLACED).order_by("id"):
        try:
            dispatch.accept(work=work, by=request.user, at=timezone.now())
        except CannotDispatch:
            continue
        done += 1
    messages.success(request, _("Accepted: %(n)s. The elders see it.") % {"n": done})
    query = request.GET.urlencode()
    return redirect(reverse("office:work") + (f"?{query}" if query else ""))


def _span(request: HttpRequest) -> tuple[date, int]:
    """The first day, and how many."""
    first = asked_day(request.GET.get("day")) or timezone.localdate()
    return first, 7 if request.GET.get("span") == "week" else 1


class SendForm(Marked):
    caregiver = forms.ModelChoiceField(Caregiver.objects.none(), label=gettext_lazy("Caregiver"))

    def __init__(self, *args: Any, candidates: list[Candidate], **options: Any) -> None:
        super().__init__(*args, **options)
        chosen = self.fields["caregiver"]
        assert isinstance(chosen, forms.ModelChoiceField)
        chosen.queryset = Caregiver.objects.filter(pk__in=[one.caregiver.pk for one in candidates])
        chosen.error_messages["required"] = _("Choose who goes")


class ReasonForm(Marked):
    reason = forms.CharField(
        max_length=40,
        label=gettext_lazy("Why, in a few words"),
        help_text=gettext_lazy("The elder reads it. At most 40 characters."),
        widget=forms.TextInput(attrs={"class": "form-control", "aria-describedby": "id_reason_helptext"}),
        error_messages={"required": gettext_lazy("Say why: the elder reads it")},
    )


@roles(Role.OPERATOR_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest, work: int) -> HttpResponse:
    """This page will show one order with what was told of it, and take the office's decision."""
    found = get_object_or_404(_works(request), pk=work)
    group = group_of(found)
    open_ = group in ("accept", "assign", "assigned")
    home = found.where == OrderTerms.Where.HOME
    people = dispatch.candidates(found) if open_ and home else []
    send, reason = SendForm(candidates=people), ReasonForm()
    act = request.POST.get("act", "")
    if request.method == "POST":
        send = SendForm(request.POST, candidates=people) if act == "assign" else send
        reason = ReasonForm(request.POST) if act in ("decline", "no_show") else reason
        wrong = {"assign": send, "decline": reason, "no_show": reason}.get(act)
        if wrong is None or wrong.is_valid():
            try:
                said = _act(found, act, send, reason, request)
            except CannotDispatch as refusal:
                messages.error(request, str(refusal))
            else:
                messages.success(request, said)
            return redirect("office:order", found.pk)
    visit = getattr(found.hold, "visit", None)
    return render(
        request,
        "office/order.html",
        {
            "work": found,
            "group": group,
            "group_label": GROUPS[group],
            "evidence": shown_of(found.hold_id),
            "undelivered": OF_REDEMPTIONS.get(visit.undelivered, "") if visit else "",
            "open": open_,
            "home": home,
            "begun": timezone.now() >= found.starts_at,
            "candidates": people,
            "send": send,
            "reason": reason,
            "form": send if send.errors else reason,
            "act": act,
            "trail": [
                (_("Office"), reverse("office:today")),
                (
                    pgettext("orders", "Work"),
                    f"{reverse('office:work')}?day={timezone.localdate(found.starts_at)}",
                ),
                (found.order.order.number, None),
            ],
        },
        status=422 if send.errors or reason.errors else 200,
    )


def _act(work: WorkOrder, act: str, send: SendForm, reason: ReasonForm, request: HttpRequest) -> str:
    by, at = request.user, timezone.now()
    if act == "accept":
        dispatch.accept(work=work, by=by, at=at)
        return _("Accepted. The elder sees it.")
    if act == "assign":
        caregiver = send.cleaned_data["caregiver"]
        dispatch.assign(work=work, caregiver=caregiver, by=by, at=at)
        return _("%(name)s goes.") % {"name": caregiver.name}
    if act == "no_show":
        dispatch.no_show(work=work, reason=reason.cleaned_data["reason"], by=by, at=at)
        return _("Noted. The elder is told, and the vouchers are free again.")
    if act == "decline":
        dispatch.decline(work=work, reason=reason.cleaned_data["reason"], by=by, at=at)
        return _("Declined. The elder is told, and the vouchers are free again.")
    raise CannotDispatch("closed")


@dataclass(frozen=True, slots=True)
class Round:
    """What one person brings on one day, in the order of the way; `caregiver` none: nobody is sent yet."""

    caregiver: Caregiver | None
    doors: list[Door]

    @property
    def portions(self) -> int:
        return sum(door.what.quantity for door in self.doors)


@roles(Role.OPERATOR_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def rounds(request: HttpRequest) -> HttpResponse:
    """This page will list a day's rounds with names and addresses, to print, and send one person on a round.

    Names and addresses stand in full: who goes there needs them. That somebody looked is recorded.
    """
    day, _days = _span(request)
    begins = instant(day, time())
    works = list(
        _works(request)
        .filter(
            where=OrderTerms.Where.HOME,
            starts_at__gte=begins,
            starts_at__lt=begins + timedelta(days=1),
            state__in=[*WorkOrder.OPEN, State.DONE],
        )
        .order_by("starts_at", "id")[: 10 * MOST]
    )
    if request.method == "POST":
        return _send_round(request, works, day)
    if works:
        with transaction.atomic():
            record(
                by=request.user,
                at=timezone.now(),
                action="print_round",
                subject=f"{day}",
                detail={"orders": len(works)},
            )
    meals = [work for work in works if work.booking_id and work.caregiver_id is None and work.is_open]
    people = Caregiver.objects.filter(operator=request.user.operator_id, left_on=None)  # type: ignore[union-attr]
    return render(
        request,
        "office/rounds.html",
        {
            "day": day,
            "before": day - timedelta(days=1),
            "after": day + timedelta(days=1),
            "rounds": _rounds(works),
            "unsent": len(meals),
            "people": list(people.order_by("code")) if meals else [],
            "trail": [
                (_("Office"), reverse("office:today")),
                (pgettext("orders", "Work"), f"{reverse('office:work')}?day={day}"),
                (_("Rounds"), None),
            ],
        },
    )


def _rounds(works: list[WorkOrder]) -> list[Round]:
    centres = centres_of({work.order.elder.division for work in works})
    by_person: dict[int, list[Door]] = defaultdict(list)
    people: dict[int, Caregiver | None] = {}
    start = None
    for work in works:
        person = work.caregiver or (work.appointment.caregiver if work.appointment else None)
        elder, place = work.order.elder, work.offer.premises
        if place.longitude is not None and place.latitude is not None:
            start = (float(place.longitude), float(place.latitude))
        key = person.pk if person else 0
        people[key] = person
        area = elder.division.name
        by_person[key].append(
            Door(work.starts_at, area, work.address(), centres.get(elder.division_id), work)
        )
    found = [Round(people[key], in_order(doors, start=start)) for key, doors in by_person.items()]
    return sorted(found, key=lambda one: one.caregiver.code if one.caregiver else "")


def _send_round(request: HttpRequest, works: list[WorkOrder], day: date) -> HttpResponse:
    people = Caregiver.objects.filter(operator=request.user.operator_id)  # type: ignore[union-attr]
    person = get_object_or_404(people, pk=row_number(request.POST.get("caregiver", "")))
    sent, problem = 0, ""
    for work in works:
        if work.booking_id and work.caregiver_id is None and work.is_open:
            try:
                dispatch.assign(work=work, caregiver=person, by=request.user, at=timezone.now())
            except CannotDispatch as refusal:
                problem = str(refusal)
            else:
                sent += 1
    if problem:
        messages.error(request, problem)
    if sent:
        messages.success(request, _("%(name)s brings %(n)s orders.") % {"name": person.name, "n": sent})
    return redirect(f"{reverse('office:rounds')}?day={day}")
