"""What the pages of all registers share."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.web.access import REGISTER_KEEPERS, plays


def require_keeper(request: HttpRequest, *, city: bool = False) -> None:
    """`city`: what changes here holds for the whole city: prices, operators, programmes."""
    if not plays(request.user, REGISTER_KEEPERS, city=city):
        raise PermissionDenied


def trail(
    label: str, name: str, one: str, href: str | None = None, *rest: str
) -> list[tuple[str, str | None]]:
    """Registers > one register > one record > what is done with it."""
    found: list[tuple[str, str | None]] = [
        (_("Registers"), reverse("registers:hub")),
        (label, reverse(name)),
        (one, href),
    ]
    return found + [(word, None) for word in rest]


def form_page(
    request: HttpRequest,
    form: Any,
    *,
    title: str,
    verb: str,
    back: str,
    trail: list[tuple[str, str | None]],
    template: str = "registers/form.html",
    **context: Any,
) -> HttpResponse:
    """A page with one form: 422 with what was typed and what is wrong with it."""
    return render(
        request,
        template,
        {"form": form, "title": title, "verb": verb, "back": back, "trail": trail, **context},
        status=422 if form.errors else 200,
    )
