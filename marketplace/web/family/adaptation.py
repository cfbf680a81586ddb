"""Making one's home safer: ask for it, look at the plan in words, say yes or no."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from marketplace.adaptation.operations import answer, ask, cancel
from marketplace.fulfilment.queries import last_address
from marketplace.web import adaptation, photos
from marketplace.web.family.acting import acting_of, elder_of, for_elder
from marketplace.web.forms import Marked
from providers.models import Premises
from vouchers.adaptation.models import Plan, Project
from vouchers.adaptation.refusals import CannotAdapt
from vouchers.elders.models import Elder

MOST_PLACES = 5


def places(elder: Elder) -> list[tuple[str, str]]:
    """At most five operators that adapt homes, those of the elder's own street first."""
    today = timezone.localdate()
    found = (
        Premises.objects.filter(
            offers__service__adaptation__isnull=False,
            leases__starts_on__lte=today,
            leases__ends_on__gte=today,
        )
        .distinct()
        .order_by("code")
        .prefetch_related("leases__operator")
    )
    near = sorted(found, key=lambda one: (one.division_id != elder.division_id, one.code))[:MOST_PLACES]
    return [
        (
            one.code,
            next(
                (row.operator.name for row in one.leases.all() if row.starts_on <= today <= row.ends_on),
                one.name,
            ),
        )
        for one in near
    ]


class AskQuestion(Marked):
    place = forms.ChoiceField(
        label=gettext_lazy("Who is to come?"),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose who is to come.")},
    )
    wish = forms.CharField(
        label=gettext_lazy("What is hard at home?"),
        help_text=gettext_lazy("In your own words; you may leave it empty."),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    address = forms.CharField(
        label=gettext_lazy("Street, number, building, room"),
        max_length=120,
        error_messages={"required": gettext_lazy("Say where the home is.")},
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "street-address"}),
    )

    def __init__(self, *args: Any, places: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["place"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = places
        if len(places) == 1:
            field.initial = places[0][0]


def _of_home(elder: Elder) -> Project | None:
    """The project of the elder's home that counts: of the elder, or of somebody they live with."""
    at_home = Q(elder=elder)
    if elder.household:
        at_home |= Q(elder__household=elder.household)
    rows = Project.objects.filter(at_home).select_related("elder", "operator", "premises")
    return rows.exclude(state=Project.State.CANCELLED).first() or rows.filter(elder=elder).first()


@for_elder
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """This page will say where the project of this home stands, or how to ask for one."""
    elder = elder_of(request)
    found = _of_home(elder)
    if found is not None and found.elder_id == elder.pk:
        return _shown(request, found)
    return render(request, "family/adaptation_none.html", {"of_another": found, "places": places(elder)})


def _shown(request: HttpRequest, found: Project) -> HttpResponse:
    about = adaptation.about(found)
    plan: Plan | None = about["plan"]
    context = {
        **about,
        "answering": found.state == Project.State.PLANNED and plan is not None and not plan.answer,
        "may_cancel": found.state in Project.BEFORE_WORKS,
        "may_ask": found.state == Project.State.CANCELLED,
    }
    return render(request, "family/adaptation.html", context)


@for_elder(order=True)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """This page will ask who is to come, where, and what is hard at home."""
    acting = acting_of(request)
    choices = places(acting.elder)
    form = AskQuestion(request.POST or None, places=choices, initial={"address": last_address(acting.elder)})
    refusal: Any = ""
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            ask(
                acting=acting,
                premises=Premises.objects.get(code=data["place"]),
                wish=data["wish"],
                address=data["address"],
                at=timezone.now(),
            )
        except CannotAdapt as refused:
            refusal = refused
        else:
            messages.success(request, _("Asked. They will call and come to look at the home."))
            return redirect("family:adaptation")
    context = {"form": form, "places": choices, "refusal": refusal}
    return render(
        request, "family/adaptation_ask.html", context, status=422 if request.method == "POST" else 200
    )


@for_elder(order=True)
@require_POST
def say(request: HttpRequest, plan: int) -> HttpResponse:
    """This form will say yes or no to the plan that was shown."""
    acting, at = acting_of(request), timezone.now()
    found = get_object_or_404(
        Plan.objects.select_related("project__elder"), pk=plan, project__elder=acting.elder
    )
    yes = request.POST.get("answer") == "yes"
    try:
        answer(acting=acting, plan=found, yes=yes, reason=request.POST.get("reason", "")[:300], at=at)
    except CannotAdapt as refusal:
        messages.error(request, str(refusal))
    else:
        agreed = _("Agreed. Your vouchers are set aside; the works can begin.")
        messages.success(request, agreed if yes else _("Noted. The operator can make another plan."))
    return redirect("family:adaptation")


@for_elder(order=True)
@require_POST
def stop(request: HttpRequest, number: int) -> HttpResponse:
    """This form will cancel the project, as long as the works have not begun."""
    acting = acting_of(request)
    found = _own(acting.elder, number)
    try:
        cancel(acting=acting, project=found, reason=_("cancelled by the family"), at=timezone.now())
    except CannotAdapt as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Cancelled. Your vouchers are free again."))
    return redirect("family:adaptation")


def _own(elder: Elder, number: int) -> Project:
    rows = Project.objects.select_related("elder", "operator", "premises")
    return get_object_or_404(rows, pk=number, elder=elder)


@for_elder
@require_safe
def photo(request: HttpRequest, number: int, photo: int) -> HttpResponse:
    """This address will show a photo of the home to the elder, and to whoever acts for them."""
    project = _own(elder_of(request), number)
    return photos.shown(get_object_or_404(project.photos.select_related("photo"), pk=photo).photo)
