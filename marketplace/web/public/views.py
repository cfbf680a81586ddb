"""Sign-in, home, the living page of the design, error pages."""

from datetime import date, datetime
from decimal import Decimal

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.i18n import set_language

from marketplace.accounts import second
from marketplace.accounts.models import Role
from marketplace.web.access import anyone, signed_in
from marketplace.web.lists import Listing
from marketplace.web.navigation import home_items
from marketplace.web.public import second_factor
from marketplace.web.public.forms import SignInForm


class SignIn(LoginView):
    template_name = "public/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """The password fits: let in, or ask for the second factor first."""
        user = form.get_user()
        if second.is_asked(user):
            return second_factor.ask(self.request, user, self.get_success_url())
        return super().form_valid(form)


sign_in = anyone(require_http_methods(["GET", "HEAD", "POST"])(SignIn.as_view()))
sign_out = anyone(require_POST(LogoutView.as_view()))
language = anyone(require_POST(set_language))


@signed_in
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """This page will show what one's role can do now, or say plainly that there is nothing yet.

    Elders and families, who have no role, have a home of their own.
    """
    if request.user.role == "":  # type: ignore[union-attr]
        return redirect("family:home")
    return render(
        request,
        "public/home.html",
        {
            "items": home_items(request.user),
            "empty_title": _("Nothing to do here yet"),
            "empty_text": _(
                "Your account works. The pages for your role are still being built; you need to do nothing."
            ),
        },
    )


# What js/keys.js does, in the order in which it is told.
KEYS = [
    ("/", gettext_lazy("to the search of the list")),
    ("j", gettext_lazy("to the next line; Enter opens it")),
    ("k", gettext_lazy("to the line before")),
    ("n", gettext_lazy("next page of the list")),
    ("p", gettext_lazy("page before")),
    (
        "a",
        gettext_lazy("to the page's main button, such as the approval that waits for you; Enter presses it"),
    ),
    ("?", gettext_lazy("this page")),
]


@signed_in
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """This page will tell the keys of the desk, and switch them on and off on this device."""
    return render(request, "public/keys.html", {"keys": KEYS, "trail": [(_("Keys"), None)]})


@anyone
@require_safe
def design(request: HttpRequest) -> HttpResponse:
    """This page will show every component that pages are made of, with made-up content."""
    wrong = SignInForm(request, data={"username": "", "password": ""})
    numbers = list(range(1, 181))
    return render(
        request,
        "public/design.html",
        {
            "form": wrong,
            "listing": Listing(request, numbers, sorts={"number": lambda n: n}, per_page=20),
            "trail": [(_("Offset months"), "#"), (pgettext("example", "August 2026"), None)],
            "today": date(2026, 8, 23),
            "now": datetime(2026, 8, 23, 12, 4, tzinfo=timezone.get_default_timezone()),
            "bars": [
                (Decimal("5333.50"), Decimal("1776.06"), Decimal("2428.02"), Decimal("1776.06")),
                (Decimal("25633.50"), Decimal("1140.00"), Decimal(0), Decimal("17943.45")),
                (Decimal("9617.03"), Decimal("4808.52"), Decimal("10173.90"), Decimal("4808.52")),
            ],
            "roles": Role.choices,
            "amounts": [Decimal("15"), Decimal("15.50"), Decimal("5333.50"), Decimal("-120")],
            "pictograms": [
                "ticket",
                "code",
                "receipt",
                "list",
                "lock",
                "bowl",
                "house",
                "steps",
                "sun",
                "rail",
                "fan",
            ],
            "colours": [
                "jade",
                "jade-deep",
                "jade-line",
                "jade-wash",
                "amber",
                "amber-line",
                "amber-wash",
                "red",
                "red-wash",
                "blue",
                "blue-wash",
                "ink",
                "ink-2",
                "line",
                "quiet",
                "paper",
            ],
        },
    )
