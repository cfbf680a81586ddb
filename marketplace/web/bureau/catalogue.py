"""What elders read and see in the market: the words and the drawing of each service, the story of each house."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from marketplace.accounts.models import Role
from marketplace.offerings.describing import describe_house, describe_service, picture_service
from marketplace.offerings.models import Listing
from marketplace.web import scope
from marketplace.web.access import BUREAU, roles
from marketplace.web.forms import Marked
from marketplace.web.lists import Listing as List
from marketplace.web.photos import PhotosField
from providers.models import Premises, Service


class ServiceForm(Marked):
    words = forms.CharField(
        label=gettext_lazy("What it is, in one or two plain sentences"),
        help_text=gettext_lazy("Elders read this below the name. At most 300 characters."),
        max_length=300,
        error_messages={"required": gettext_lazy("Say what it is, so that elders know what they order")},
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    drawing = forms.ChoiceField(
        label=gettext_lazy("Picture"), choices=Listing.Drawing.choices, widget=forms.RadioSelect
    )


class PhotoForm(Marked):
    photos = PhotosField(most=1, small=True, required=False, label=gettext_lazy("Photo"))
    shows = forms.CharField(
        label=gettext_lazy("What it shows"),
        help_text=gettext_lazy(
            "Read aloud to who does not see it, such as: lunch in the canteen, rice and two dishes"
        ),
        max_length=120,
        error_messages={"required": gettext_lazy("Say what the photo shows")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class HouseForm(Marked):
    words = forms.CharField(
        label=gettext_lazy("What the house was and is, in a sentence or two"),
        help_text=gettext_lazy("Elders read this on the page of each service there. At most 300 characters."),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@roles(*BUREAU)
@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """This page will list the services with words and picture, and the houses with their stories."""
    asked = request.GET.get("q", "").strip()[:60]
    houses = Premises.objects.filter(pk__in=scope.leases(request.user).values("premises"))
    if asked:
        houses = houses.filter(Q(name__icontains=asked) | Q(code__icontains=asked))
    listings = Listing.objects.select_related("service", "product").annotate(
        places=Count("product__stockrecords__supply", filter=Q(product__stockrecords__supply__listed=True))
    )
    return render(
        request,
        "bureau/catalogue.html",
        {
            "listings": listings.order_by("service__code"),
            "unlisted": Service.objects.filter(listing=None).count(),
            "q": asked,
            "listing": List(
                request,
                houses.select_related("story", "division"),
                sorts={"code": "code", "name": ["name", "code"]},
            ),
            "trail": _trail(),
        },
    )


def _trail(*last: str) -> list[tuple[str, Any]]:
    here = (_("Words and pictures"), reverse("bureau:catalogue") if last else None)
    return [here, *((label, None) for label in last)]


def _may_change(request: HttpRequest) -> bool:
    return request.user.role == Role.BUREAU_CLERK  # type: ignore[union-attr]


@roles(*BUREAU)
@require_http_methods(["GET", "HEAD", "POST"])
def service(request: HttpRequest, service: str) -> HttpResponse:
    """This page will change the words and the picture of one service."""
    listing = get_object_or_404(Listing.objects.select_related("service", "photo"), service__code=service)
    picturing = request.POST.get("do") in ("photo", "no_photo")
    form = ServiceForm(
        request.POST if request.method == "POST" and not picturing else None,
        initial={"words": listing.words, "drawing": listing.drawn},
    )
    photo_form = PhotoForm(initial={"shows": listing.photo_shows})
    if request.method == "POST":
        if not (_may_change(request) and scope.sees_whole_city(request.user)):
            raise PermissionDenied
        if picturing:
            photo_form = PhotoForm(request.POST, request.FILES)
            if _pictured(request, listing, photo_form):
                messages.success(request, _("Elders see this from now on."))
                return redirect("bureau:catalogue_service", service)
        elif form.is_valid():
            describe_service(listing=listing, **form.cleaned_data, by=request.user, at=timezone.now())
            messages.success(request, _("Elders see this from now on."))
            return redirect("bureau:catalogue_service", service)
    may = _may_change(request) and scope.sees_whole_city(request.user)
    context = {
        "item": listing,
        "form": form,
        "photo_form": photo_form,
        "may": may,
        "trail": _trail(listing.service.name),
    }
    return render(request, "bureau/catalogue_service.html", context)


def _pictured(request: HttpRequest, listing: Listing, form: PhotoForm) -> bool:
    """Whether the photo was set or taken away; otherwise the form says why not."""
    photo, shows = None, ""
    if request.POST["do"] == "photo":
        if not form.is_valid():
            return False
        photo, shows = next(iter(form.cleaned_data["photos"]), None), form.cleaned_data["shows"]
        if photo is None and listing.photo is None:
            form.add_error("photos", _("Add a photo at least"))
            return False
    picture_service(listing=listing, photo=photo, shows=shows, by=request.user, at=timezone.now())
    return True


@roles(*BUREAU)
@require_http_methods(["GET", "HEAD", "POST"])
def house(request: HttpRequest, premises: str) -> HttpResponse:
    """This page will change the story of one house."""
    seen = Premises.objects.filter(pk__in=scope.leases(request.user).values("premises"))
    place = get_object_or_404(seen.select_related("story", "division"), code=premises)
    story = getattr(place, "story", None)
    form = HouseForm(request.POST or None, initial={"words": story.words if story else ""})
    if request.method == "POST":
        if not _may_change(request):
            raise PermissionDenied
        if form.is_valid():
            describe_house(
                premises=place, words=form.cleaned_data["words"], by=request.user, at=timezone.now()
            )
            messages.success(request, _("Elders see this from now on."))
            return redirect("bureau:catalogue_house", premises)
    context = {"premises": place, "form": form, "may": _may_change(request), "trail": _trail(place.name)}
    return render(request, "bureau/catalogue_house.html", context)
