"""The desk of the telephone: search, the elder's card, the call. What is done in a call is done on the family's
own pages (marketplace/web/family), under the bar "acting for".

The agent never hears a PIN: the elder is told by the number on file, which the agent rings.
"""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from ledger.audit.operations import record, record_seen
from marketplace.accounts.models import Role, User
from marketplace.web.access import FINDERS, PAPER_GIVERS, roles
from marketplace.web.family.acting import person
from providers.divisions.queries import ids_under
from vouchers.delegates import operations as delegates
from vouchers.delegates.models import CALL_LASTS, Call
from vouchers.delegates.operations import CannotAct
from vouchers.delegates.queries import current_call
from vouchers.elders import masking
from vouchers.elders.models import Elder
from vouchers.elders.search import MOST, find


def _people(user: User) -> QuerySet[Elder] | None:
    """Whom this person may find: those of the own division; None, where there is none: everybody."""
    if user.division is None:
        return None
    return Elder.objects.filter(division__in=ids_under([user.division.code]))


def _one(request: HttpRequest, code: str) -> Elder:
    among = _people(person(request))
    people = Elder.objects.all() if among is None else among
    people = people.filter(erased_at=None)
    return get_object_or_404(people.select_related("division__parent"), code=code)


@roles(*FINDERS)
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: HttpRequest) -> HttpResponse:
    """This page will find elders by what is typed: a name or a phone, so it is sent in the body, never in the address."""
    text = request.POST.get("q", "").strip()[:60]
    found = find(text, among=_people(person(request)), most=MOST + 1) if text else []
    rows = [(one, _name_of(one, person(request))) for one in found[:MOST]]
    if text:  # what was typed may be a name: whom it showed is noted instead
        record(
            by=request.user, at=timezone.now(), action="find_elder", subject="elders",
            detail={"found": [one.code for one, _name in rows]}, channel="hotline",
        )  # fmt: skip
    context = {"q": text, "found": rows, "more": len(found) > MOST, "most": MOST}
    return render(request, "hotline/search.html", context | {"call": _call(request)})


@roles(*FINDERS)
@require_safe
def elder(request: HttpRequest, code: str) -> HttpResponse:
    """This page will show who it is, as far as is needed to be sure, and what can be done."""
    user, one = person(request), _one(request, code)
    record_seen(by=user, at=timezone.now(), action="see_elder", subject=one.code, channel="hotline")
    context = {
        "elder": one,
        "name": _name_of(one, user),
        "phone": masking.phone(one.phone()),
        "may_call": user.role == Role.HOTLINE_AGENT and one.died_on is None,
        "may_print": user.role in PAPER_GIVERS and one.died_on is None,
        "paper_days": delegates.PAPER_DAYS,
    }
    return render(request, "hotline/elder.html", context)


def _name_of(one: Elder, user: User) -> str:
    """Who rings back asks by name; the others find the row and need no more."""
    return one.name if user.role == Role.HOTLINE_AGENT else one.masked_name


@roles(*PAPER_GIVERS)
@require_POST
def paper(request: HttpRequest, code: str) -> HttpResponse:
    """This page will make a paper code and show it this once, to be printed."""
    one = _one(request, code)
    try:
        digits, made = delegates.print_paper_code(elder=one, by=request.user, at=timezone.now())
    except CannotAct as refusal:
        messages.error(request, str(refusal))
        return redirect("hotline:elder", code)
    context = {"elder": one, "code": f"{digits[:5]} {digits[5:]}", "until": made.until}
    return render(request, "hotline/paper.html", context)


@roles(Role.HOTLINE_AGENT)
@require_POST
def start(request: HttpRequest, code: str) -> HttpResponse:
    """This page will open a call with this elder."""
    try:
        delegates.open_call(agent=request.user, elder=_one(request, code), at=timezone.now())
    except CannotAct as refusal:
        messages.error(request, str(refusal))
    return redirect("hotline:call")


@roles(Role.HOTLINE_AGENT)
@require_safe
def call(request: HttpRequest) -> HttpResponse:
    """This page will lead through the call: ring back, then act."""
    return _call_page(request)


@roles(Role.HOTLINE_AGENT)
@require_POST
def number(request: HttpRequest) -> HttpResponse:
    """This page will show the number to dial; that it was shown is recorded."""
    now = _open_call(request)
    record(
        by=request.user, at=timezone.now(), action="reveal_phone", subject=now.elder.code,
        detail={"call": now.pk}, channel="hotline",
    )  # fmt: skip
    return _call_page(request, shown=now.elder.phone())


@roles(Role.HOTLINE_AGENT)
@require_POST
def rang_back(request: HttpRequest) -> HttpResponse:
    """This page will note that the agent rang the number on file and spoke with the elder."""
    try:
        delegates.called_back(call=_open_call(request), at=timezone.now())
    except CannotAct as refusal:
        messages.error(request, str(refusal))
    return redirect("hotline:call")


@roles(Role.HOTLINE_AGENT)
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """This page will end the call; from then on the agent acts for nobody."""
    delegates.end_call(call=_open_call(request), at=timezone.now())
    messages.success(request, _("The call is ended."))
    return redirect("hotline:search")


def _call_page(request: HttpRequest, *, shown: str = "") -> HttpResponse:
    now = _call(request)
    context: dict[str, object] = {"call": now, "shown": shown}
    if now is not None:
        context |= {
            "phone": masking.phone(now.elder.phone()),
            "until": now.opened_at + CALL_LASTS,
            "elder": now.elder,
        }
    return render(request, "hotline/call.html", context)


def _call(request: HttpRequest) -> Call | None:
    return current_call(request.user, timezone.now()) if person(request).role == Role.HOTLINE_AGENT else None


def _open_call(request: HttpRequest) -> Call:
    now = _call(request)
    if now is None:
        raise Http404
    return now
