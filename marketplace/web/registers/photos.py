"""Photos of premises: added on their page, shown to those who see the premises, withdrawn where one is wrong."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.registers.models import PremisesPhoto
from marketplace.registers.operations import CannotWithdraw, PhotoOfTomorrow, add_photos, withdraw_photo
from marketplace.web import photos, scope
from marketplace.web.access import REGISTER_KEEPERS, REGISTER_READERS, roles
from marketplace.web.forms import Marked
from marketplace.web.registers.pages import form_page, trail


class PhotosForm(Marked):
    photos = photos.PhotosField()
    taken_on = forms.DateField(
        label=gettext_lazy("Taken on"),
        error_messages={
            "required": gettext_lazy("Name a day as 2026-08-31."),
            "invalid": gettext_lazy("Name a day as 2026-08-31."),
        },
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )
    caption = forms.CharField(
        label=gettext_lazy("What it shows"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )

    @property
    def visible(self) -> list[Any]:
        return [self[name] for name in self.fields]


@roles(*REGISTER_KEEPERS)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest, code: str) -> HttpResponse:
    """This page will add photos of premises."""
    found = get_object_or_404(scope.premises(request.user), code=code)
    here = reverse("registers:one_premises", args=[code])
    form = PhotosForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        initial={"taken_on": timezone.localdate()},
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            add_photos(
                premises=found,
                photos=data["photos"],
                taken_on=data["taken_on"],
                caption=data["caption"],
                by=request.user,
                at=timezone.now(),
            )
            messages.success(request, _("The photos are kept."))
            return redirect(here)
        except PhotoOfTomorrow as refusal:
            form.add_error("taken_on", str(refusal))
    return form_page(
        request,
        form,
        title=_("Add photos"),
        verb=_("Add photos"),
        back=here,
        files=True,
        trail=trail(_("Premises"), "registers:premises", found.name, here, _("Photos")),
    )


def _seen(user: Any) -> QuerySet[PremisesPhoto]:
    """Photos that stand, of premises that this person sees."""
    found = PremisesPhoto.objects.filter(premises__in=scope.premises(user), withdrawal=None)
    return found.select_related("photo", "premises")


@roles(*REGISTER_READERS)
@require_safe
def photo(request: HttpRequest, number: uuid.UUID) -> HttpResponse:
    """This page will show one photo of premises that this person sees."""
    return photos.shown(get_object_or_404(_seen(request.user), photo__number=number).photo)


class WithdrawForm(Marked):
    reason = forms.CharField(
        label=gettext_lazy("Why should it not stand there?"),
        max_length=200,
        error_messages={"required": gettext_lazy("Say why it should not stand there.")},
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )

    @property
    def visible(self) -> list[Any]:
        return [self["reason"]]


@roles(*REGISTER_KEEPERS)
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, number: uuid.UUID) -> HttpResponse:
    """This page will show a photo once more and withdraw it."""
    found = get_object_or_404(_seen(request.user), photo__number=number)
    here = reverse("registers:one_premises", args=[found.premises.code])
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            withdraw_photo(photo=found, by=request.user, at=timezone.now(), **form.cleaned_data)
            messages.success(request, _("The photo is withdrawn."))
            return redirect(here)
        except CannotWithdraw as refusal:
            form.add_error("reason", str(refusal))
    return form_page(
        request,
        form,
        title=_("Withdraw a photo"),
        verb=_("Withdraw"),
        back=here,
        about=_("Nobody is shown it any more; that it was there, and why it went, stays on record."),
        template="registers/withdraw.html",
        photo=found,
        trail=trail(_("Premises"), "registers:premises", found.premises.name, here, _("Photos")),
    )
