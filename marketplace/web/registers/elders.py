"""The register of elders: list, one elder; deaths, moves and doubles by form. Files come in under Work."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from ledger.audit.operations import record
from ledger.files.write import As
from marketplace.models import Erasure
from marketplace.privacy import erasing
from marketplace.privacy.copies import Person, records_of
from marketplace.privacy.erasing import CannotErase
from marketplace.web import scope
from marketplace.web.access import REGISTER_KEEPERS, plays, roles
from marketplace.web.exports import personal_copy
from marketplace.web.forms import Marked
from marketplace.web.registers.entry import day, pick, reason, text
from marketplace.web.registers.history import history
from marketplace.web.registers.lease_forms import a_day
from marketplace.web.registers.pages import trail
from marketplace.web.registers.premises import division_choices, street_choices, street_of
from marketplace.web.registers.table import Col, Filter, register_page
from marketplace.web.registers.words import FIELDS
from providers.divisions.queries import ids_under
from providers.models import Division
from vouchers.elders import changes, masking
from vouchers.elders.changes import CannotChangeElder
from vouchers.elders.deaths import NoSuchDeath, correct_death
from vouchers.elders.search import MOST, find
from vouchers.models import Elder, Voucher

STATES = {
    "living": (gettext_lazy("on the register"), "ok", "check-circle-fill"),
    "dead": (gettext_lazy("deceased"), "", "dash-circle"),
    "double": (gettext_lazy("double"), "due", "arrow-right"),
}


class DeathForm(Marked):
    died_on = day(FIELDS["died_on"])

    def clean_died_on(self) -> str:
        return a_day(self.cleaned_data["died_on"])


class CorrectForm(Marked):
    why = reason(gettext_lazy("Why was the death wrong?"))


class MoveForm(Marked):
    division = pick(gettext_lazy("Lives now in"))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["division"].widget.choices = [("", "—"), *division_choices(user)]  # type: ignore[attr-defined]


class DoubleForm(Marked):
    same_as = text(
        gettext_lazy("Code of the record that counts"),
        hint=gettext_lazy(
            "This record then gets no new vouchers; what is left on it can be spent until it runs out."
        ),
        longest=12,
    )
    same_why = reason(gettext_lazy("How do you know that both are one person?"))


class CopyForm(Marked):
    copy_why = reason(gettext_lazy("Who asks for it, and how do you know that it is the person?"))


class EraseForm(Marked):
    erase_why = reason(gettext_lazy("Who asks for it, and how do you know that it is the person?"))


class PartForm(Marked):
    part_why = reason(gettext_lazy("Why are they two people?"))


def state_of(elder: Elder) -> str:
    return "dead" if elder.died_on else "double" if elder.same_as_id else "living"


COLUMNS = [
    Col(
        "code", gettext_lazy("Elder"), lambda row: row.code, small=lambda row: row.masked_name,
        href=lambda row: reverse("registers:elder", args=[row.code]), sort=("code",),
    ),
    Col("name", FIELDS["name"], lambda row: row.masked_name, page=False),
    Col("born", gettext_lazy("Born"), lambda row: f"{row.birth_on:%Y-%m}", width=10),
    Col("street", gettext_lazy("Street"), lambda row: street_of(row.division), small=lambda row: row.division.name),
    Col("ability", gettext_lazy("Ability level"), lambda row: row.ability_level, kind=As.NUMBER, width=10),
    Col(
        "groups", gettext_lazy("Groups"),
        lambda row: "、".join(str(Elder.Group(one).label) for one in row.categories), width=28,
    ),
    Col("tail", gettext_lazy("Phone ends in"), lambda row: row.phone_tail, width=10),
    Col(
        "state", gettext_lazy("State"), lambda row: STATES[state_of(row)][0],
        mark=lambda row: STATES[state_of(row)][1:],
    ),
]  # fmt: skip


def _seen(request: HttpRequest) -> QuerySet[Elder]:
    return scope.elders(request.user).select_related("division__parent__parent__parent", "same_as")


@roles(*REGISTER_KEEPERS)
@require_http_methods(["GET", "HEAD", "POST"])
def elders(request: HttpRequest) -> HttpResponseBase:
    """This page will list the elders by code; names are masked. What is searched for may be a name or a phone, so it
    is sent in the body, never in the address; whom it showed is noted."""
    street, state = (request.GET.get(name, "").strip()[:60] for name in ("street", "state"))
    words = request.POST.get("q", "").strip()[:60]
    rows, more = _seen(request), False
    if street:
        rows = rows.filter(division__in=ids_under([street]))
    if state in STATES:
        rows = rows.filter(
            {
                "living": Q(died_on=None, same_as=None),
                "dead": Q(died_on__isnull=False),
                "double": Q(same_as__isnull=False),
            }[state]
        )
    if words:
        found = find(words, among=_seen(request), most=MOST + 1)
        found, more = found[:MOST], len(found) > MOST
        rows = _seen(request).filter(pk__in=[one.pk for one in found])
        detail: dict[str, Any] = {"found": [one.code for one in found]}
        record(by=request.user, at=timezone.now(), action="find_elder", subject="elders", detail=detail)
    if request.GET.get("format") in ("csv", "xlsx"):
        detail = {"street": street, "state": state}
        record(by=request.user, at=timezone.now(), action="export_elders", subject="elders", detail=detail)
    return register_page(
        request,
        rows,
        COLUMNS,
        name="elders",
        title=_("Elders"),
        template="registers/elders.html",
        searched=words,
        more=more,
        most=MOST,
        filters=[
            Filter("street", _("Street"), street, street_choices(request.user)),
            Filter("state", _("State"), state, [(name, label) for name, (label, *_rest) in STATES.items()]),
        ],
        acts=[{"label": _("Load a file of elders"), "href": reverse("work_kind", args=["city"])}]
        if plays(request.user, REGISTER_KEEPERS, city=True)
        else [],
        about=_(
            "Names are masked here. A file of elders is checked first: what is new, changed or wrong is shown before anything is written."
        ),
        nothing=(_("No elder on the register yet"), _("Load the file elders.csv under Work.")),
    )


@roles(*REGISTER_KEEPERS)
@require_http_methods(["GET", "HEAD", "POST"])
def elder(request: HttpRequest, code: str) -> HttpResponseBase:
    """This page will show one elder's record and take a death, a move, that it is a double, and what the person
    asks for at the desk: a copy, erasure."""
    found = get_object_or_404(_seen(request), code=code)
    forms: dict[str, Marked] = {
        "death": DeathForm(),
        "correct": CorrectForm(),
        "move": MoveForm(user=request.user, initial={"division": found.division.code}),
        "double": DoubleForm(),
        "part": PartForm(),
        "copy": CopyForm(),
        "erase": EraseForm(),
    }
    wrong: Marked | None = None
    if request.method == "POST":
        do = request.POST.get("do", "")
        if do in forms:
            more = {"user": request.user} if do == "move" else {}
            wrong = forms[do] = type(forms[do])(request.POST, **more)
            if do == "copy" and wrong.is_valid():
                return _copy(request, found, wrong.cleaned_data["copy_why"])
            if wrong.is_valid() and (done := _changed(request, found, do, wrong)):
                messages.success(request, done)
                return redirect("registers:elder", code)
        found = get_object_or_404(_seen(request), code=code)
    label, tone, mark = STATES[state_of(found)]
    today = timezone.localdate()
    left = Voucher.objects.left_of(found, today=today).select_related("programme")
    bad = wrong is not None and wrong.errors
    return render(
        request,
        "registers/elder.html",
        {
            "one": found,
            "label": label,
            "tone": tone,
            "mark": mark,
            "street": street_of(found.division),
            "groups": [Elder.Group(one).label for one in found.categories],
            "phone": masking.phone(found.phone()),
            "left": list(left[:30]),
            "doubles": list(found.doubles.order_by("code")),
            "erasure": Erasure.objects.filter(elder=found.counting, state=Erasure.State.ASKED).first(),
            "forms": forms,
            "wrong": wrong if bad else None,
            "history": history(found.code),
            "trail": trail(_("Elders"), "registers:elders", found.code),
        },
        status=422 if bad else 200,
    )


def _copy(request: HttpRequest, found: Elder, why: str) -> HttpResponseBase:
    """For the person at the desk: numbers stay masked, and who took it stands in the audit with the reason."""
    return personal_copy(
        of=Person(records_of(found), []), name=f"{found.code}-data", by=request.user, reason=why
    )


FIELD_OF = {
    "same_place": "division",
    "not_a_home": "division",
    "moved_on": "division",
    "in_future": "died_on",
    "before_birth": "died_on",
    "death_known": "died_on",
    "itself": "same_as",
    "unknown": "same_as",
    "points_on": "same_as",
}


def _changed(request: HttpRequest, found: Elder, do: str, form: Marked) -> str:
    """Do what the form asks; what to say of it, or nothing when it was refused."""
    data = form.cleaned_data
    by: dict[str, Any] = {"by": request.user, "at": timezone.now()}
    try:
        if do == "death":
            changes.enter_death(elder=found, died_on=date.fromisoformat(data["died_on"]), **by)
            return _(
                "Noted. What is left of the vouchers is voided, and later redemptions are held for review."
            )
        if do == "correct":
            correct_death(elder=found, reason=data["why"], **by)
            return _("Corrected: the vouchers are back.")
        if do == "move":
            offered = {value for value, _label in division_choices(request.user)}
            place = Division.objects.filter(code=data["division"]).first()
            if place is None or place.code not in offered:
                raise CannotChangeElder("not_a_home")
            changes.move_elder(elder=found, seen=request.POST.get("seen", ""), division=place, **by)
            return _("Noted: the person lives there now.")
        if do == "double":
            other = scope.elders(request.user).filter(code=data["same_as"].strip().upper()).first()
            if other is None:
                raise CannotChangeElder("unknown")
            changes.link_double(double=found, counts=other, reason=data["same_why"], **by)
            return _("Noted: this record is a double and gets no new vouchers.")
        if do == "erase":
            erasing.ask(elder=found, reason=data["erase_why"], at_desk=True, **by)
            return _("Noted: an approver decides. Nothing is erased yet.")
        changes.part_double(double=found, reason=data["part_why"], **by)
        return _("Noted: they are two people.")
    except CannotChangeElder as refusal:
        field = FIELD_OF.get(refusal.code)
        form.add_error(field if field in form.fields else None, str(refusal))
    except CannotErase as refusal:
        form.add_error(None, str(refusal))
    except NoSuchDeath as refusal:
        form.add_error(None, str(refusal))
    return ""
