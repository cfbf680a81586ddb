"""A person's own second step, once signed in: app, passkeys, codes on paper; what is there, more, fewer."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marketplace.accounts import passkeys, second
from marketplace.accounts.models import Passkey, Role, User
from marketplace.accounts.passkeys import CannotUsePasskey
from marketplace.web.access import roles
from marketplace.web.forms import row_number
from marketplace.web.public import passkey
from marketplace.web.public.second_factor import add_passkey, ask, is_sure, shown_once


@roles(*Role)
@sensitive_post_parameters("passkey")
@require_http_methods(["GET", "HEAD", "POST"])
def ways(request: HttpRequest) -> HttpResponse:
    """This page will show one's app, passkeys and codes on paper; add a passkey, end one, make new codes.

    Who has a second factor is asked for it first, unless it fitted a quarter of an hour ago: an unlocked desk is not
    enough to change how its owner signs in.
    """
    user: User = request.user  # type: ignore[assignment]
    here = reverse("second_ways")
    if not is_sure(request):
        return ask(request, user, here)
    naming, done = add_passkey(request, user, here)
    if done is not None:
        return done
    refusal = ""
    if "remove" in request.POST:
        one = get_object_or_404(Passkey, user=user, pk=row_number(request.POST["remove"]))
        try:
            passkeys.remove(user=user, passkey=one, at=timezone.now())
            messages.success(request, _("The passkey “%(name)s” is removed.") % {"name": one.name})
            return redirect(here)
        except CannotUsePasskey as refused:
            refusal = str(refused)
    elif "paper" in request.POST and second.has_one(user):
        return shown_once(request, user, second.new_paper(user=user, at=timezone.now()), here)
    context = {
        "naming": naming,
        "refusal": refusal,
        "asked": passkey.asks_new(request, user),
        "works_here": passkeys.works_at(passkey.host_of(request)),
        "passkeys": Passkey.objects.filter(user=user),
        "has_app": second.has_app(user),
        "has_one": second.has_one(user),
        "paper_left": second.paper_left(user),
    }
    return render(request, "public/second_ways.html", context)
