"""Tying one's account to one's own record: ID number, phone on file, code, consent. One question a page.

Whether somebody is on the register is never told: a number that nobody has leads through the same pages.
"""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.resident_ids import birth_date
from marketplace.accounts.codes import MINUTES, CannotSendCode, WrongCode, check_code, one_more_try
from marketplace.accounts.models import OneTimeCode
from marketplace.families import operations as families
from marketplace.web.access import roles
from marketplace.web.family.acting import CHOSEN, person
from marketplace.web.forms import Marked
from marketplace.web.questions import CodeQuestion, PhoneQuestion, address_of, plain
from vouchers.delegates.operations import PAPER_DIGITS, CannotAct, elder_of_paper
from vouchers.elders import sealing
from vouchers.elders.models import Elder

CLAIM = "record_claim"  # in the session: ID number (sealed), number of the code, the elder proven, paper code


class IdQuestion(Marked):
    id_number = forms.CharField(
        label=_("ID number"),
        max_length=40,
        error_messages={"required": _("Type the 18 characters of your ID number.")},
        help_text=_("18 characters, as on the identity card"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )

    def clean_id_number(self) -> str:
        number = plain(self.cleaned_data["id_number"]).upper()
        try:
            birth_date(number)
        except Exception:
            raise forms.ValidationError(
                _("This is not an ID number: 18 characters, the last may be X. Check each of them.")
            ) from None
        return number


class PaperQuestion(Marked):
    code = forms.CharField(
        label=_("Ten digits on the paper"),
        max_length=40,
        error_messages={"required": _("Type the ten digits on the paper.")},
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def clean_code(self) -> str:
        code = plain(self.cleaned_data["code"])
        if not (code.isascii() and code.isdigit() and len(code) == PAPER_DIGITS):
            raise forms.ValidationError(_("The code on the paper has ten digits. Check each digit."))
        return code


class ConsentQuestion(Marked):
    notice = forms.BooleanField(
        label=_("I have read what is done with my data."),
        error_messages={"required": _("Tick this box to go on, or call us.")},
    )
    sensitive = forms.BooleanField(
        label=_("I agree that my ID number, health level and welfare status are used to find my vouchers."),
        error_messages={"required": _("Tick this box to go on, or call us.")},
    )


@roles("")
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """This page will ask whether one comes for oneself or for somebody else."""
    return render(request, "family/start.html")


@roles("")
@sensitive_post_parameters("id_number")
@require_http_methods(["GET", "HEAD", "POST"])
def id_number(request: HttpRequest) -> HttpResponse:
    """This page will ask for the ID number. Who signed in with the phone on file has proven the rest."""
    form = IdQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        number = form.cleaned_data["id_number"]
        user = person(request)
        try:
            one_more_try(subject=f"id of {user.pk}", address=address_of(request), at=timezone.now())
        except WrongCode as refusal:
            form.add_error("id_number", str(refusal))
        else:
            elder = families.elder_by_id(number)
            if elder is not None and user.phone() and families.has_phone(elder, user.phone()):
                request.session[CLAIM] = {"elder": elder.code}
                return redirect("people:consent")
            row = str(user.pk)
            request.session[CLAIM] = {"id": sealing.seal(number, field="claimed_id", row=row).hex()}
            return redirect("people:own_phone")
    return render(request, "family/own_id.html", {"form": form})


@roles("")
@sensitive_post_parameters("phone")
@require_http_methods(["GET", "HEAD", "POST"])
def phone(request: HttpRequest) -> HttpResponse:
    """This page will ask for the phone that the community has on file, and send it a code."""
    claim = request.session.get(CLAIM, {})
    if "id" not in claim:
        return redirect("people:own")
    form = PhoneQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        number = sealing.open_sealed(
            bytes.fromhex(claim["id"]), field="claimed_id", row=str(person(request).pk)
        )
        try:
            sent = families.send_record_code(
                id_number=number,
                phone=form.cleaned_data["phone"],
                address=address_of(request),
                at=timezone.now(),
            )
        except CannotSendCode as refusal:
            form.add_error("phone", str(refusal))
        else:
            found = families.elder_by_id(number)
            known = found is not None and families.has_phone(found, form.cleaned_data["phone"])
            request.session[CLAIM] = claim | {
                "code": str(sent.number),
                "sent_for": found.code if found is not None and known else "",
            }
            return redirect("people:own_code")
    return render(request, "family/own_phone.html", {"form": form})


@roles("")
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """This page will take the code that went to the phone on file."""
    claim = request.session.get(CLAIM, {})
    if "code" not in claim:
        return redirect("people:own")
    form = CodeQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            check_code(
                number=claim["code"],
                purpose=OneTimeCode.Purpose.RECORD,
                code=form.cleaned_data["code"],
                address=address_of(request),
                at=timezone.now(),
            )
        except WrongCode as refusal:
            form.add_error("code", str(refusal))
        else:
            request.session[CLAIM] = {"elder": claim["sent_for"]}
            return redirect("people:consent")
    return render(request, "family/own_code.html", {"form": form, "minutes": MINUTES})


@roles("")
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def paper(request: HttpRequest) -> HttpResponse:
    """This page will take the code on the paper from the community."""
    form = PaperQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now, user = timezone.now(), person(request)
        try:
            one_more_try(subject=f"paper of {user.pk}", address=address_of(request), at=now)
            elder = elder_of_paper(code=form.cleaned_data["code"], at=now)
        except (WrongCode, CannotAct) as refusal:
            form.add_error("code", str(refusal))
        else:
            sealed = sealing.seal(form.cleaned_data["code"], field="claimed_paper", row=str(user.pk))
            request.session[CLAIM] = {"elder": elder.code, "paper": sealed.hex()}
            return redirect("people:consent")
    return render(request, "family/own_paper.html", {"form": form})


@roles("")
@require_http_methods(["GET", "HEAD", "POST"])
def consent(request: HttpRequest) -> HttpResponse:
    """This page will say what is done with the data, ask for both consents, and tie the account to the record."""
    claim = request.session.get(CLAIM, {})
    elder = Elder.objects.filter(code=claim.get("elder", ""), died_on=None).first()
    if elder is None:
        return redirect("people:own")
    form = ConsentQuestion(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = {"notice": True, "sensitive": True, "user": person(request), "at": timezone.now()}
        try:
            _claim(elder, claim, given)
        except CannotAct as refusal:
            form.add_error(None, str(refusal))
        else:
            request.session.pop(CLAIM, None)
            request.session[CHOSEN] = elder.code
            return redirect("people:claimed")
    return render(request, "family/consent.html", {"form": form, "elder": elder})


def _claim(elder: Elder, claim: dict[str, str], given: dict[str, Any]) -> None:
    if "paper" not in claim:
        families.claim(elder=elder, **given)
        return
    sealed, row = bytes.fromhex(claim["paper"]), str(given["user"].pk)
    families.claim_by_paper(code=sealing.open_sealed(sealed, field="claimed_paper", row=row), **given)


@roles("")
@require_safe
def claimed(request: HttpRequest) -> HttpResponse:
    """This page will say that it is done and lead on."""
    return render(request, "family/claimed.html")
