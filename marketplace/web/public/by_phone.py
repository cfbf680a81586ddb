"""Signing in by phone, for elders and families: the phone, then the code. Two questions, two pages.

Any phone gets a code, known here or not; the account is made when the code fits.
"""

from datetime import timedelta

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marketplace.accounts.codes import MINUTES, CannotSendCode, WrongCode, check_code, send_code
from marketplace.accounts.models import OneTimeCode, User
from marketplace.accounts.operations import account_of_phone
from marketplace.messages.operations import tell
from marketplace.web.access import anyone
from marketplace.web.forms import Marked
from marketplace.web.questions import CodeQuestion, PhoneQuestion, address_of

KEPT = timedelta(days=90)  # on the elder's own phone nobody wants to sign in again and again
ASKED = "sign_in_asked"  # in the session: number of the code, where to go after
BACKEND = "django.contrib.auth.backends.ModelBackend"
SIGN_IN = OneTimeCode.Purpose.SIGN_IN


@anyone
@sensitive_post_parameters("phone")
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """This page will ask for the phone and send it a code."""
    if request.user.is_authenticated and request.method != "POST":
        return redirect("home")
    wanted = request.GET.get("next", "")
    form = PhoneQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _send(request, form.cleaned_data["phone"], wanted)
        except CannotSendCode as refusal:
            form.add_error("phone", str(refusal))
        else:
            return redirect("sign_in_code")
    return render(request, "public/phone.html", {"form": form, "next": wanted})


@anyone
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """This page will take the code, or send another, and let the person in."""
    asked = request.session.get(ASKED)
    sent = OneTimeCode.objects.filter(number=asked["number"], purpose=SIGN_IN).first() if asked else None
    if asked is None or sent is None:
        return redirect("sign_in_phone")
    form: Marked = CodeQuestion(request.POST or None)
    if "again" in request.POST:
        try:
            _send(request, sent.phone(), asked["next"])
        except CannotSendCode as refusal:
            form = CodeQuestion.refused(refusal)
        else:
            return redirect("sign_in_code")
    elif request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            used = check_code(
                number=sent.number,
                purpose=SIGN_IN,
                code=form.cleaned_data["code"],
                address=address_of(request),
                at=now,
            )
        except WrongCode as refusal:
            form.add_error("code", str(refusal))
        else:
            user = account_of_phone(phone=used.phone(), at=now)
            if user.is_active:
                return _let_in(request, user, asked["next"])
            form.add_error("code", _("This account is closed. The hotline can help."))
    context = {"form": form, "tail": sent.phone()[-4:], "minutes": MINUTES}
    return render(request, "public/code.html", context)


def _send(request: HttpRequest, number: str, wanted: str) -> None:
    now = timezone.now()
    sent = send_code(
        purpose=SIGN_IN,
        subject=number,
        address=address_of(request),
        phone=number,
        deliver=lambda digits: tell(
            kind="sign_in_code",
            phone=number,
            language=get_language() or "zh-hans",
            at=now,
            code=digits,
            minutes=MINUTES,
        ),
        at=now,
    )
    request.session[ASKED] = {"number": str(sent.number), "next": wanted}


def _let_in(request: HttpRequest, user: User, wanted: str) -> HttpResponse:
    login(request, user, backend=BACKEND)
    request.session.pop(ASKED, None)
    request.session.set_expiry(KEPT)
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(wanted if safe else "home")
