"""Photos of premises: added on their page, shown to those who see the premises."""

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.registers.models import PremisesPhoto
from marketplace.registers.operations import PhotoOfTomorrow, add_photos
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


@roles(*REGISTER_READERS)
@require_safe
def photo(request: HttpRequest, number: uuid.UUID) -> HttpResponse:
    """This page will show one photo of premises that this person sees."""
    seen = PremisesPhoto.objects.filter(premises__in=scope.premises(request.user))
    return photos.shown(get_object_or_404(seen.select_related("photo"), photo__number=number).photo)
