"""Who acts for the elder: asked, agreed, ended in three taps; and what was told. Also privacy and consent."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.families import operations as families
from marketplace.families.operations import Acting, acted
from marketplace.messages.models import Message
from marketplace.web.access import FAMILY, roles
from marketplace.web.family.acting import CHOSEN, acting_of, choices, for_elder, person
from marketplace.web.lists import Listing
from vouchers.delegates import operations as delegates
from vouchers.delegates.models import Consent, Delegation, OwnRecord
from vouchers.delegates.operations import CannotAct

SENT_OR_SOON = (Message.Outcome.SENT, Message.Outcome.WAITING)

# What a delegate never sees: who else acts, what was told, what was agreed. The agent in a call does it for
# the elder.


def _elders_own(request: HttpRequest) -> Acting:
    acting = acting_of(request)
    if acting.delegation is not None:
        raise Http404
    return acting


@for_elder
@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """This page will list who acts for the elder or asks to, each with one button."""
    acting = _elders_own(request)
    today = timezone.localdate()
    rows = Delegation.objects.open(today).filter(elder=acting.elder).with_used(timezone.now())
    listed = [(one, families.terms_of(one), one.used_so_far) for one in rows]  # type: ignore[attr-defined]
    return render(request, "family/people.html", {"rows": listed})


@for_elder
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, number: int) -> HttpResponse:
    """This page will ask whether somebody may act: yes or no."""
    acting, asked = _one(request, number)
    if request.method == "POST":
        yes = request.POST.get("answer") == "yes"
        how = Delegation.Agreed.HOTLINE if acting.call else Delegation.Agreed.ACCOUNT
        now = timezone.now()
        try:
            if yes:
                families.agree(delegation=asked, how=how, by=person(request), at=now, channel=acting.channel)
            else:
                families.refuse(delegation=asked, by=person(request), at=now, channel=acting.channel)
        except CannotAct as refusal:
            messages.error(request, str(refusal))
        else:
            done = _("%(name)s may act for you now.") if yes else _("%(name)s may not act for you.")
            messages.success(request, done % {"name": asked.name()})
        return redirect("people:people")
    return render(request, "family/answer.html", {"one": asked, "terms": families.terms_of(asked)})


@for_elder
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, number: int) -> HttpResponse:
    """This page will ask once more, and shut the delegate out."""
    acting, one = _one(request, number)
    if request.method == "POST":
        now = timezone.now()
        try:
            families.end(delegation=one, by=person(request), at=now, channel=acting.channel)
            acted(
                acting=acting, action="end_delegation", what=gettext_lazy("a leave to act was ended"), at=now
            )
        except CannotAct as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("%(name)s no longer acts for you.") % {"name": one.name()})
        return redirect("people:people")
    return render(request, "family/end.html", {"one": one, "terms": families.terms_of(one)})


def _one(request: HttpRequest, number: int) -> tuple[Acting, Delegation]:
    acting = _elders_own(request)
    mine = Delegation.objects.filter(elder=acting.elder, state__in=Delegation.OPEN).select_related("user")
    return acting, get_object_or_404(mine, pk=number)


@roles("")
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, number: int) -> HttpResponse:
    """This page will ask whether one wants to stop acting for somebody, and stop."""
    mine = Delegation.objects.filter(user=person(request), state=Delegation.State.AGREED)
    one = get_object_or_404(mine.select_related("elder"), pk=number)
    if request.method == "POST":
        try:
            families.end(delegation=one, by=person(request), at=timezone.now())
        except CannotAct as refusal:
            messages.error(request, str(refusal))
        else:
            request.session.pop(CHOSEN, None)
            messages.success(request, _("You no longer act for %(name)s.") % {"name": one.elder.name})
        return redirect("people:whom")
    return render(request, "family/leave.html", {"one": one})


@for_elder
@require_safe
def told(request: HttpRequest) -> HttpResponse:
    """This page will show what was sent to the elder's phone, the latest first."""
    acting = _elders_own(request)
    rows = Message.objects.filter(elder=acting.elder).order_by("-created_at", "-id")
    listing = Listing(request, rows, sorts={"latest": ("-created_at", "-id")}, per_page=10)
    shown = [
        {
            "at": one.created_at,
            "text": one.text(language=get_language() or ""),
            "unsent": "" if one.outcome in SENT_OR_SOON else one.get_outcome_display(),
        }
        for one in listing.page
    ]
    return render(request, "family/told.html", {"listing": listing, "rows": shown})


@roles(*FAMILY)
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """This page will say what is kept, who sees it, and what one has agreed to."""
    given = Consent.objects.filter(user=person(request)).select_related("elder").order_by("-at", "-id")[:20]
    own = [acting for acting in choices(request) if not acting.for_another]
    return render(
        request, "family/privacy.html", {"given": given, "own": own, "version": delegates.NOTICE_VERSION}
    )


@for_elder(own=True)
@require_POST
def withdraw(request: HttpRequest) -> HttpResponse:
    """This page will untie the account from the record: the consents are withdrawn, the vouchers stay."""
    elder = acting_of(request).elder
    own = get_object_or_404(OwnRecord, user=person(request), elder=elder, ended_at=None)
    delegates.leave_record(own=own, by=person(request), at=timezone.now())
    request.session.pop(CHOSEN, None)
    messages.success(request, _("Your record is no longer on this phone. Your vouchers are as they were."))
    return redirect("people:start")
