"""Asking an elder's leave to act: for whom, who one is, what for, and the code that the elder tells."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from marketplace.accounts.codes import MINUTES, CannotSendCode, WrongCode, check_code, one_more_try
from marketplace.accounts.models import OneTimeCode
from marketplace.families import operations as families
from marketplace.web.access import roles
from marketplace.web.family.acting import CHOSEN, person
from marketplace.web.family.pin import pin_field
from marketplace.web.forms import Marked
from marketplace.web.questions import CodeQuestion, PhoneQuestion, address_of, plain
from vouchers.delegates.models import Delegation
from vouchers.delegates.operations import CannotAct
from vouchers.elders import sealing

ASKED = "asked_to_act"  # in the session, server side; names and phones sealed

MONTHS = {"3": 92, "6": 183, "12": 365}


class ElderQuestion(PhoneQuestion):
    """Whom: the name on the register and the phone on file."""

    elder = forms.CharField(
        label=_("Name of the elder"),
        max_length=60,
        error_messages={"required": _("Type the elder's name as on the identity card.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ["elder", "phone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["phone"].label = _("The elder's mobile phone")
        self.fields["phone"].error_messages["required"] = _("Type the elder's mobile phone number.")
        self.fields["phone"].widget.attrs["autocomplete"] = "off"

    def clean_elder(self) -> str:
        return plain(self.cleaned_data["elder"])


class MeQuestion(Marked):
    name = forms.CharField(
        label=_("Your name"),
        max_length=30,
        error_messages={"required": _("Say your name as the elder knows you.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    relation = forms.ChoiceField(
        label=_("You are the elder's"),
        choices=Delegation.Relation.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )


class TermsQuestion(Marked):
    may = forms.ChoiceField(
        label=_("What do you want to do for the elder?"),
        choices=[
            ("300", _("See vouchers and order, at most 300 yuan a month")),
            ("600", _("See vouchers and order, at most 600 yuan a month")),
            ("1000", _("See vouchers and order, at most 1,000 yuan a month")),
            ("see", _("Only see the vouchers")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )
    months = forms.ChoiceField(
        label=_("For how long?"),
        choices=[("3", _("3 months")), ("6", _("6 months")), ("12", _("1 year"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one.")},
    )


@roles("")
@sensitive_post_parameters("elder", "phone")
@require_http_methods(["GET", "HEAD", "POST"])
def elder(request: HttpRequest) -> HttpResponse:
    """This page will ask for whom."""
    form = ElderQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        _keep(request, {"elder": given["elder"], "phone": given["phone"]})
        return redirect("people:ask_me")
    return render(request, "family/ask_elder.html", {"form": form})


@roles("")
@require_http_methods(["GET", "HEAD", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """This page will ask who one is to the elder."""
    kept = _kept(request)
    if "phone" not in kept:
        return redirect("people:ask")
    form = MeQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        _keep(request, kept | form.cleaned_data)
        return redirect("people:ask_terms")
    return render(request, "family/ask_me.html", {"form": form})


@roles("")
@require_http_methods(["GET", "HEAD", "POST"])
def terms(request: HttpRequest) -> HttpResponse:
    """This page will ask what for and how long, and send the elder the code."""
    kept = _kept(request)
    if "name" not in kept:
        return redirect("people:ask")
    form = TermsQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        wanted = _terms(kept, form.cleaned_data, timezone.localdate(now))
        try:
            one_more_try(subject=f"asking of {person(request).pk}", address=address_of(request), at=now)
            code, asked = families.ask_to_act(
                user=person(request),
                name=kept["elder"],
                phone=kept["phone"],
                terms=wanted,
                address=address_of(request),
                at=now,
            )
        except (CannotSendCode, CannotAct, WrongCode) as refusal:
            form.add_error(None, str(refusal))
        else:
            request.session[ASKED] = {"code": str(code.number), "delegation": asked.pk if asked else 0}
            return redirect("people:ask_code")
    return render(request, "family/ask_terms.html", {"form": form})


def _terms(kept: dict[str, str], given: dict[str, str], today: date) -> families.Terms:
    sees = given["may"] == "see"
    return families.Terms(
        name=kept["name"],
        relation=kept["relation"],
        scope=Delegation.Scope.SEE if sees else Delegation.Scope.ORDER,
        cap=None if sees else Decimal(given["may"]),
        until=today + timedelta(days=MONTHS[given["months"]]),
    )


@roles("")
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """This page will take the code that the elder tells. The elder may also agree alone, or by the hotline."""
    asked = request.session.get(ASKED, {})
    if "code" not in asked:
        return redirect("people:ask")
    form = CodeQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            check_code(
                number=asked["code"],
                purpose=OneTimeCode.Purpose.DELEGATE,
                code=form.cleaned_data["code"],
                address=address_of(request),
                at=now,
            )
            mine = Delegation.objects.get(pk=asked["delegation"], user=person(request))
            done = families.agree(delegation=mine, how=Delegation.Agreed.CODE, by=person(request), at=now)
        except (WrongCode, CannotAct) as refusal:
            form.add_error("code", str(refusal))
        else:
            request.session.pop(ASKED, None)
            request.session[CHOSEN] = done.elder.code
            return redirect("people:agreed")
    return render(request, "family/ask_code.html", {"form": form, "minutes": MINUTES})


class PinQuestion(Marked):
    pin = pin_field(_("The elder's PIN, six digits"), _("Type six digits."), "off")

    def clean_pin(self) -> str:
        return plain(self.cleaned_data["pin"])


@roles("")
@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
def by_pin(request: HttpRequest) -> HttpResponse:
    """This page will let an elder who sits beside the delegate agree by typing the PIN."""
    asked = request.session.get(ASKED, {})
    if "code" not in asked:
        return redirect("people:ask")
    form = PinQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        mine = Delegation.objects.filter(pk=asked["delegation"], user=person(request))
        try:
            done = families.agree_by_pin(
                user=person(request),
                delegation=mine.select_related("elder", "user").first(),
                asked=OneTimeCode.objects.get(number=asked["code"]),
                pin=form.cleaned_data["pin"],
                address=address_of(request),
                at=timezone.now(),
            )
        except (WrongCode, families.NotAgreed, CannotAct) as refusal:
            form.add_error("pin", str(refusal))
        else:
            request.session.pop(ASKED, None)
            request.session[CHOSEN] = done.elder.code
            return redirect("people:agreed")
    return render(request, "family/ask_pin.html", {"form": form})


@roles("")
@require_http_methods(["GET", "HEAD"])
def agreed(request: HttpRequest) -> HttpResponse:
    """This page will say that one may act now, and lead on."""
    return render(request, "family/agreed.html")


def _keep(request: HttpRequest, given: dict[str, str]) -> None:
    """Names and phones wait in the session sealed, like everywhere else."""
    row = str(person(request).pk)
    request.session[ASKED] = {
        name: sealing.seal(value, field=f"asked_{name}", row=row).hex() for name, value in given.items()
    }


def _kept(request: HttpRequest) -> dict[str, str]:
    row = str(person(request).pk)
    return {
        name: sealing.open_sealed(bytes.fromhex(value), field=f"asked_{name}", row=row)
        for name, value in request.session.get(ASKED, {}).items()
        if name in ("elder", "phone", "name", "relation")
    }
