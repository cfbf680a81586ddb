"""What a person may ask about the own data: a copy of all of it, and its erasure."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marketplace.accounts.codes import MINUTES, CannotSendCode, WrongCode
from marketplace.models import Erasure
from marketplace.privacy import erasing
from marketplace.privacy.copies import Person, records_of
from marketplace.privacy.erasing import CannotErase
from marketplace.web.access import roles
from marketplace.web.exports import personal_copy
from marketplace.web.family.acting import choices, current, person
from marketplace.web.family.confirm import Confirmation
from marketplace.web.questions import CodeQuestion
from vouchers.elders.models import Elder


def own_elder(request: HttpRequest) -> Elder | None:
    """The elder whom the account belongs to; of several on one phone the one chosen. Nobody of those acted for."""
    acting = current(request)
    if acting is not None and not acting.for_another:
        return acting.elder
    own = [one.elder for one in choices(request) if not one.for_another]
    return own[0] if len(own) == 1 else None


@roles("")
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def copy(request: HttpRequest) -> HttpResponseBase:
    """This page will hand out everything that is held about whoever has signed in, after a fresh code.

    Without a phone on the account nobody can be asked for a code, and ID number and phone stay masked.
    """
    confirm = Confirmation(request, "copy", gettext_lazy("a copy of your data"))
    form = CodeQuestion(request.POST if "code" in request.POST else None)
    if _confirmed(request, confirm, form):
        elder, user = own_elder(request), person(request)
        of = Person(records_of(elder) if elder else [], [user], full=confirm.needed)
        return personal_copy(of=of, name=f"my-data-{timezone.localdate():%Y-%m-%d}", by=user)
    if "send" in request.POST:
        return redirect("people:copy")
    return render(request, "family/copy.html", _context(request, confirm, form))


@roles("")
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest) -> HttpResponseBase:
    """This page will say what erasure takes and leaves, take the request after a fresh code, and take it back."""
    confirm = Confirmation(request, "erase", gettext_lazy("to have your data erased"))
    form = CodeQuestion(request.POST if "code" in request.POST else None)
    elder, user = own_elder(request), person(request)
    if elder is None and any(not one.for_another for one in choices(request)):
        return redirect("people:whom")
    whose: dict[str, Any] = {"elder": elder.counting} if elder else {"user": user}
    asked = Erasure.objects.filter(**whose).first()
    waits = asked is not None and asked.state == Erasure.State.ASKED
    try:
        if asked and "withdraw" in request.POST:
            erasing.withdraw(erasure=asked, by=user, at=timezone.now())
            messages.success(request, _("Taken back. Nothing is erased."))
            return redirect("people:privacy")
        if not waits and _confirmed(request, confirm, form):
            erasing.ask(**whose, by=user, at=timezone.now())
            messages.success(request, _("Asked for. An approver of the bureau decides."))
            return redirect("people:erase")
    except CannotErase as refusal:
        messages.error(request, str(refusal))
        return redirect("people:erase")
    if "send" in request.POST:
        return redirect("people:erase")
    records = records_of(elder) if elder else []
    return render(
        request,
        "family/erase.html",
        {
            **_context(request, confirm, form),
            "asked": asked,
            "waits": waits,
            "elder": elder,
            "left": erasing.vouchers_left(records, timezone.localdate()),
            "open": erasing.sentences_of_open(records),
        },
    )


def _confirmed(request: HttpRequest, confirm: Confirmation, form: CodeQuestion) -> bool:
    """Whether the person has just confirmed; asked for a code, one is sent, a wrong one is said at its field."""
    if request.method != "POST":
        return False
    if not confirm.needed:
        return "send" in request.POST
    if "send" in request.POST:
        try:
            confirm.send()
        except CannotSendCode as refusal:
            messages.error(request, str(refusal))
        return False
    if not (confirm.sent and form.is_valid()):
        return False
    try:
        confirm.check(form.cleaned_data["code"])
    except WrongCode as refusal:
        form.add_error("code", str(refusal))
        return False
    return True


def _context(request: HttpRequest, confirm: Confirmation, form: CodeQuestion) -> dict[str, Any]:
    return {"form": form, "confirm": confirm, "minutes": MINUTES, "tail": person(request).phone_tail}
