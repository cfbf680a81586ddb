"""After the password, for those who approve money and make people: the app's six digits or a passkey.

The first is set up at the first sign-in. Until it fits nobody is signed in: the session knows only whose password was
right, for ten minutes. What a person has is seen and changed on a page of its own (ways.py).
"""

from datetime import datetime, timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marketplace.accounts import passkeys, second
from marketplace.accounts.codes import WrongCode
from marketplace.accounts.models import User
from marketplace.accounts.passkeys import CannotUsePasskey
from marketplace.web.access import anyone
from marketplace.web.forms import Marked
from marketplace.web.public import passkey
from marketplace.web.public.by_phone import BACKEND
from marketplace.web.qr import on_screen
from marketplace.web.questions import address_of, plain

HALFWAY = "signing_in"  # in the session: who, since when, where to
LASTS = timedelta(minutes=10)
SURE = "second_factor_at"  # in the session: when it fitted last
SURE_FOR = timedelta(minutes=15)


class SecondQuestion(Marked):
    code = forms.CharField(
        label=pgettext_lazy("second step", "Code"),
        max_length=20,
        error_messages={"required": _("Type the code.")},
        help_text=_("Six digits from the app, or ten digits from your paper"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )

    def clean_code(self) -> str:
        return plain(self.cleaned_data["code"])


def ask(request: HttpRequest, user: User, wanted: str) -> HttpResponse:
    """The password was right: lead to the second question."""
    request.session.cycle_key()
    request.session[HALFWAY] = {"user": user.pk, "since": timezone.now().isoformat(), "next": wanted}
    return redirect("sign_in_second" if second.has_one(user) else "sign_in_set_up")


def is_sure(request: HttpRequest) -> bool:
    """Whether the second factor fitted a short while ago, or there is none yet: ways to sign in may be changed."""
    since = request.session.get(SURE)
    if since is not None and timezone.now() - datetime.fromisoformat(since) <= SURE_FOR:
        return True
    return not second.has_one(request.user)  # type: ignore[arg-type]


def _halfway(request: HttpRequest) -> tuple[User, str] | None:
    kept = request.session.get(HALFWAY)
    if kept is None or timezone.now() - datetime.fromisoformat(kept["since"]) > LASTS:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    return (user, kept["next"]) if user is not None else None


def _who_sets_up(request: HttpRequest) -> tuple[User, str] | None:
    """Who may set up the app now, and where to go then.

    Either the password alone was right and there is no second factor yet, or it was and somebody who is in adds the
    app to passkeys.
    """
    user = request.user
    if user.is_authenticated:
        fits = user.role and is_sure(request) and not second.has_app(user)
        return (user, reverse("second_ways")) if fits else None
    halfway = _halfway(request)
    return halfway if halfway is not None and not second.has_one(halfway[0]) else None


@anyone
@sensitive_post_parameters("code", "passkey")
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """This page will take a passkey's answer, the app's code, or one from paper, and let the person in."""
    halfway = _halfway(request)
    if halfway is None or not second.has_one(halfway[0]):
        return redirect("sign_in")
    user, wanted = halfway
    by_passkey = "passkey" in request.POST
    form = SecondQuestion(request.POST if request.method == "POST" and not by_passkey else None)
    address, now = address_of(request), timezone.now()
    refused = ""
    try:
        if by_passkey:
            answer, question = passkey.answered(request)
            passkeys.use(user=user, answer=answer, question=question, address=address, at=now)
            return _let_in(request, user, wanted)
        if request.method == "POST" and form.is_valid():
            second.verify(user=user, code=form.cleaned_data["code"], address=address, at=now)
            return _let_in(request, user, wanted)
    except (CannotUsePasskey, WrongCode) as refusal:
        if by_passkey:
            refused = str(refusal)
        else:
            form.add_error("code", str(refusal))
    context = {"form": form, "refused": refused, "asked": passkey.asks_use(request, user)}
    return _private(render(request, "public/second.html", context))


@anyone
@sensitive_post_parameters("code", "passkey")
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """This page will take a first passkey, or show the secret for the app and take its first code.

    The codes for paper are given out then, once.
    """
    setting = _who_sets_up(request)
    if setting is None:
        return redirect("sign_in")
    user, wanted = setting
    first = not second.has_one(user)
    naming, done = add_passkey(request, user, wanted) if first else (passkey.PasskeyName(), None)
    if done is not None:
        return done
    form = SecondQuestion(request.POST if request.method == "POST" and not naming.is_bound else None)
    now = timezone.now()
    if form.is_valid():
        try:
            paper = second.confirm(
                user=user, code=form.cleaned_data["code"], address=address_of(request), at=now
            )
            return shown_once(request, user, paper, wanted)
        except WrongCode as refusal:
            form.add_error("code", str(refusal))
    secret, uri = second.begin(user=user, at=now)
    groups = " ".join(secret[n : n + 4] for n in range(0, len(secret), 4))
    asked = passkey.asks_new(request, user) if first else None
    context = {"form": form, "naming": naming, "asked": asked, "secret": groups, "qr": on_screen(uri)}
    return _private(render(request, "public/second_set_up.html", context))


def add_passkey(
    request: HttpRequest, user: User, wanted: str
) -> tuple[passkey.PasskeyName, HttpResponse | None]:
    """The form for one more passkey, with its errors; and, once there is one, where the person goes then."""
    if "passkey" not in request.POST:
        return passkey.PasskeyName(), None
    naming = passkey.PasskeyName(request.POST)
    answer, question = passkey.answered(request)
    if not naming.is_valid():
        return naming, None
    name = naming.cleaned_data["name"]
    try:
        paper = passkeys.add(
            user=user,
            name=name,
            answer=answer,
            question=question,
            address=address_of(request),
            at=timezone.now(),
        )
    except (CannotUsePasskey, WrongCode) as refusal:
        naming.add_error("name", str(refusal))
        return naming, None
    messages.success(request, _("The passkey “%(name)s” is added.") % {"name": name})
    return naming, shown_once(request, user, paper, wanted)


def shown_once(request: HttpRequest, user: User, paper: list[str], wanted: str) -> HttpResponse:
    """The person is in; the codes for paper, where there are new ones, are on this page and on none after it."""
    onward = _let_in(request, user, wanted)
    if not paper:
        return onward
    shown = [f"{one[:5]} {one[5:]}" for one in paper]
    return _private(render(request, "public/second_paper.html", {"paper": shown, "next": wanted}))


def _private(page: HttpResponse) -> HttpResponse:
    page.headers["Cache-Control"] = "private, no-store"
    return page


def _let_in(request: HttpRequest, user: User, wanted: str) -> HttpResponse:
    request.session.pop(HALFWAY, None)
    login(request, user, backend=BACKEND)
    request.session[SURE] = timezone.now().isoformat()
    return redirect(wanted)
