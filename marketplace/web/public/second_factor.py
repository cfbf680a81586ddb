"""After the password, for those who approve money and make people: the app's six digits, set up the first time.

Until they fit nobody is signed in: the session knows only whose password was right, for ten minutes.
"""

from datetime import datetime, timedelta

from django import forms
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marketplace.accounts import second
from marketplace.accounts.codes import WrongCode
from marketplace.accounts.models import User
from marketplace.web.access import anyone
from marketplace.web.forms import Marked
from marketplace.web.public.by_phone import BACKEND
from marketplace.web.qr import on_screen
from marketplace.web.questions import address_of, plain

HALFWAY = "signing_in"  # in the session: who, since when, where to
LASTS = timedelta(minutes=10)


class SecondQuestion(Marked):
    code = forms.CharField(
        label=_("Code"),
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


def _halfway(request: HttpRequest) -> tuple[User, str] | None:
    kept = request.session.get(HALFWAY)
    if kept is None or timezone.now() - datetime.fromisoformat(kept["since"]) > LASTS:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    return (user, kept["next"]) if user is not None else None


@anyone
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """This page will take the app's code, or one from paper, and let the person in."""
    halfway = _halfway(request)
    if halfway is None or not second.has_one(halfway[0]):
        return redirect("sign_in")
    user, wanted = halfway
    form = SecondQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            second.verify(
                user=user, code=form.cleaned_data["code"], address=address_of(request), at=timezone.now()
            )
        except WrongCode as refusal:
            form.add_error("code", str(refusal))
        else:
            _let_in(request, user)
            return redirect(wanted)
    return render(request, "public/second.html", {"form": form})


@anyone
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """This page will show the secret for the app, take its first code, and give out the codes for paper, once."""
    halfway = _halfway(request)
    if halfway is None or second.has_one(halfway[0]):
        return redirect("sign_in")
    user, wanted = halfway
    now = timezone.now()
    form = SecondQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            paper = second.confirm(
                user=user, code=form.cleaned_data["code"], address=address_of(request), at=now
            )
        except WrongCode as refusal:
            form.add_error("code", str(refusal))
        else:
            _let_in(request, user)
            shown = [f"{one[:5]} {one[5:]}" for one in paper]
            return _private(render(request, "public/second_paper.html", {"paper": shown, "next": wanted}))
    secret, uri = second.begin(user=user, at=now)
    groups = " ".join(secret[n : n + 4] for n in range(0, len(secret), 4))
    context = {"form": form, "secret": groups, "qr": on_screen(uri)}
    return _private(render(request, "public/second_set_up.html", context))


def _private(page: HttpResponse) -> HttpResponse:
    page.headers["Cache-Control"] = "private, no-store"
    return page


def _let_in(request: HttpRequest, user: User) -> None:
    request.session.pop(HALFWAY, None)
    login(request, user, backend=BACKEND)
