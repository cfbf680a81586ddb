"""Homes made safer, as street and bureau see them: the list, each project, and acceptance by a third person."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.accounts.models import Role
from marketplace.adaptation.operations import inspect
from marketplace.web import adaptation, scope
from marketplace.web.access import BUREAU, roles
from marketplace.web.forms import Marked
from vouchers.adaptation.models import Project
from vouchers.adaptation.operations import had_a_part, may_inspect
from vouchers.adaptation.refusals import CannotAdapt

READERS = (*BUREAU, Role.STREET_OFFICER)


class InspectForm(Marked):
    """`there`: the codes of items that are there and work. What is not ticked is missing."""

    note = forms.CharField(
        label=gettext_lazy("What is missing or wrong, or what you saw"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3, "autocomplete": "off"}),
    )


@roles(*READERS)
@require_safe
def projects(request: HttpRequest) -> HttpResponseBase:
    """This page will list the projects of the division, open ones unless asked otherwise."""
    context, file = adaptation.listed(request, scope.adaptations(request.user))
    if file is not None:
        return file
    trail = [(_("Home adaptation"), None)]
    return render(
        request, "adaptation/projects.html", {**context, "of": "bureau:adaptation_project", "trail": trail}
    )


@roles(*READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def project(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show one project with its photos before and after, and take the third person's word on it."""
    found = get_object_or_404(
        scope.adaptations(request.user).select_related("elder__division", "operator", "premises"), pk=number
    )
    about = adaptation.about(found, goes_there=may_inspect(found, request.user))
    there = set(request.POST.getlist("there"))
    form = InspectForm(request.POST or None)
    refusal: CannotAdapt | None = None
    if request.method == "POST" and form.is_valid():
        missing = [line.code for line in about["lines"] if line.code not in there]
        try:
            done = inspect(
                project=found,
                missing=missing,
                note=form.cleaned_data["note"],
                by=request.user,
                at=timezone.now(),
            )
        except CannotAdapt as refused:
            refusal = refused
        else:
            accepted = done.state == Project.State.ACCEPTED
            messages.success(
                request,
                _("Accepted. The vouchers are redeemed.")
                if accepted
                else _("Noted. The operator puts it right."),
            )
            return redirect("bureau:adaptation_project", found.pk)
    waits = found.state == Project.State.DONE and may_inspect(found, request.user)
    return render(
        request,
        "bureau/adaptation.html",
        {
            **about,
            "form": form,
            "there": there,
            "refusal": refusal,
            "inspecting": waits and not had_a_part(found, request.user, timezone.now()),
            "had_a_part": waits and had_a_part(found, request.user, timezone.now()),
            "trail": [(_("Home adaptation"), reverse("bureau:adaptation")), (found.number, None)],
        },
        status=422 if request.method == "POST" else 200,
    )
