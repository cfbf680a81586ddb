"""Users and roles: who may do what, proposed by one administrator and confirmed by another; ended at once."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from ledger.files.write import As
from marketplace.accounts import grants
from marketplace.accounts.grants import CannotGrant
from marketplace.accounts.models import Grant, Role, SecondFactor, User
from marketplace.accounts.operations import WITH_OPERATOR
from marketplace.templatetags.yiquan import moment
from marketplace.web.access import ADMINISTRATORS, USER_READERS, anyone, plays, role_of, roles
from marketplace.web.family.acting import person
from marketplace.web.forms import Marked, row_number
from marketplace.web.registers.entry import pick, reason, text
from marketplace.web.registers.history import history
from marketplace.web.registers.table import Col, Filter, register_page
from marketplace.web.registers.words import FIELDS
from providers.models import Division, Operator


class ProposeForm(Marked):
    username = text(
        FIELDS["username"], hint=gettext_lazy("The name under which the person signs in."), longest=150
    )
    person = text(
        gettext_lazy("Resident ID of the person"),
        hint=gettext_lazy("By it nobody gets a second account. The number itself is not kept."),
        longest=40,
    )
    role = pick(FIELDS["role"], Role.choices)
    operator = pick(
        FIELDS["operator"],
        hint=gettext_lazy("Only for managers, cashiers and caregivers: whom they work for."),
    )
    division = pick(FIELDS["division"], hint=gettext_lazy("Nothing chosen: the whole city."))

    AT = {
        "role_unknown": "role",
        "operator_missing": "operator",
        "operator_unwanted": "operator",
        "person_missing": "person",
        "id_invalid": "person",
        "other_person": "person",
        "two_accounts": "person",
        "name_missing": "username",
        "name_invalid": "username",
        "no_role_to_a_phone": "username",
        "waiting": "username",
        "same": "role",
    }

    def __init__(self, *args: Any, known: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known
        self._choices(
            "operator", [(one.code, f"{one.code} {one.name}") for one in Operator.objects.order_by("code")]
        )
        self._choices("division", [(one.code, one.name) for one in Division.objects.order_by("code")])
        if known is not None:
            del self.fields["username"]
            if known.person_lookup is not None:
                del self.fields["person"]

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].widget.choices = [("", "—"), *choices]  # type: ignore[attr-defined]

    def propose(self, *, by: User) -> Grant | None:
        if not self.is_valid():
            return None
        data = self.cleaned_data
        division = Division.objects.filter(code=data["division"]).first() if data["division"] else None
        if data["division"] and division is None:
            self.add_error("division", _("Choose one from the list."))
            return None
        try:
            return grants.propose(
                username=self.known.username if self.known else data["username"],
                role=data["role"],
                operator=Operator.objects.filter(code=data["operator"]).first() if data["operator"] else None,
                division=division,
                id_number=data.get("person", ""),
                by=by,
                at=timezone.now(),
            )
        except CannotGrant as refusal:
            field = self.AT.get(refusal.code)
            self.add_error(field if field in self.fields else None, str(refusal))
            return None


class EndAccountForm(Marked):
    why = reason(gettext_lazy("Why does this account end?"))


class InvitedForm(Marked):
    code = text(
        gettext_lazy("Invitation code"),
        hint=gettext_lazy(
            "Sixteen letters and digits: eight from each of two administrators, the first half first."
        ),
        longest=60,
    )
    password = forms.CharField(
        label=gettext_lazy("Choose a password"),
        help_text=gettext_lazy("At least ten characters, not one that you use elsewhere."),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("The password once more"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("code"):
            self.add_error("code", _("Type the code of your invitation."))
        if not data.get("password"):
            self.add_error("password", _("Choose a password."))
        elif data.get("password") != data.get("again"):
            self.add_error("again", _("The two passwords differ. Type both again."))
        return data


STATES = {
    "active": (gettext_lazy("active"), "ok", "check-circle-fill"),
    "invited": (gettext_lazy("never signed in"), "wait", "clock"),
    "ended": (gettext_lazy("ended"), "", "dash-circle"),
}


def state_of(user: User) -> str:
    return "ended" if not user.is_active else "active" if user.last_login else "invited"


def staff() -> QuerySet[User]:
    """Whoever has a role; elders and families have none."""
    factor = SecondFactor.objects.filter(user=OuterRef("pk"), confirmed_at__isnull=False)
    return (
        User.objects.exclude(role="")
        .select_related("operator", "division")
        .annotate(has_factor=Exists(factor))
    )


COLUMNS = [
    Col(
        "name", FIELDS["username"], lambda row: row.username,
        href=lambda row: reverse("registers:user", args=[row.pk]), sort=("username",), width=20,
    ),
    Col("role", FIELDS["role"], lambda row: row.role_label, sort=("role", "username"), width=18),
    Col(
        "of", gettext_lazy("For whom, where"),
        lambda row: row.operator.name if row.operator else row.division.name if row.division
        else "" if row.role in WITH_OPERATOR else _("the whole city"),
        width=26,
    ),
    Col(
        "state", gettext_lazy("State"), lambda row: STATES[state_of(row)][0],
        mark=lambda row: STATES[state_of(row)][1:], width=16,
    ),
    Col("factor", gettext_lazy("Second factor"), lambda row: _("set up") if row.has_factor else "", width=12),
    Col(
        "last", gettext_lazy("Last sign-in"), lambda row: row.last_login, shown=lambda row: moment(row.last_login),
        kind=As.TIME, sort=("last_login", "username"), width=20,
    ),
]  # fmt: skip


@roles(*USER_READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def users(request: HttpRequest) -> HttpResponseBase:
    """This page will list the accounts with a role, and the roles that wait for a second administrator."""
    told: dict[str, Any] = {}
    if request.method == "POST":
        if role_of(request.user) not in ADMINISTRATORS:
            raise PermissionDenied
        told = _decide(request)
        if not told:
            return redirect("registers:users")
    words, role, state = (request.GET.get(name, "").strip()[:80] for name in ("q", "role", "state"))
    rows = staff()
    for word in words.split():
        rows = rows.filter(
            Q(username__icontains=word)
            | Q(operator__name__icontains=word)
            | Q(division__name__icontains=word)
        )
    if role in Role.values:
        rows = rows.filter(role=role)
    if state in STATES:
        rows = rows.filter(
            {
                "active": Q(is_active=True, last_login__isnull=False),
                "invited": Q(is_active=True, last_login=None),
                "ended": Q(is_active=False),
            }[state]
        )
    deciding = plays(request.user, ADMINISTRATORS)
    waiting = Grant.objects.filter(state=Grant.State.WAITING).select_related(
        "operator", "division", "proposed_by"
    )
    answer = register_page(
        request,
        rows,
        COLUMNS,
        name="users",
        title=_("Users and roles"),
        template="registers/users.html",
        filters=[
            Filter("q", _("User name, operator or division"), words),
            Filter("role", _("Role"), role, Role.choices),
            Filter("state", _("State"), state, [(name, label) for name, (label, *_rest) in STATES.items()]),
        ],
        acts=[{"label": _("Propose a role"), "href": reverse("registers:propose"), "main": True}]
        if role_of(request.user) == Role.ADMINISTRATOR
        else [],
        about=_(
            "An administrator proposes a role, a security administrator confirms it, or another administrator while there is none. Ending an account takes one, and holds at once."
        ),
        nothing=(_("No account with a role"), _("The first administrators are made by a command.")),
        waiting=list(waiting.order_by("id")),
        halves=list(grants.half_waiting(timezone.now())) if deciding else [],
        deciding=deciding,
        confirming=grants.confirms(person(request)),
        trail=[(_("Users and roles"), None)],
        **told,
    )
    if told.get("refusal"):
        answer.status_code = 409
    return answer


def _decide(request: HttpRequest) -> dict[str, Any]:
    """What to show after a decision that was refused or made an invitation; nothing when all is said."""
    if request.POST.get("do") == "half":
        found = get_object_or_404(staff(), pk=row_number(request.POST.get("user", "")))
        try:
            half = grants.second_half(user=found, by=person(request), at=timezone.now())
        except CannotGrant as refusal:
            return {"refusal": refusal}
        return {"invitation": spaced(half), "invited": found, "second": True}
    grant = get_object_or_404(Grant, pk=row_number(request.POST.get("grant", "")))
    try:
        if request.POST.get("do") == "decline":
            grants.decline(grant=grant, by=person(request), at=timezone.now())
            messages.success(request, _("Declined: nothing was granted."))
            return {}
        user, half = grants.confirm(grant=grant, by=person(request), at=timezone.now())
    except CannotGrant as refusal:
        return {"refusal": refusal}
    if half:
        return {"invitation": spaced(half), "invited": user, "days": grants.INVITATION_DAYS}
    messages.success(
        request, _("Granted: %(name)s is %(role)s now.") % {"name": user.username, "role": user.role_label}
    )
    return {}


def spaced(secret: str) -> str:
    return " ".join(secret[n : n + 4] for n in range(0, len(secret), 4))


@sensitive_post_parameters("person")
@roles(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def propose(request: HttpRequest) -> HttpResponse:
    """This page will propose a role for somebody new or known."""
    form = ProposeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.propose(by=person(request)):
        messages.success(request, _("Proposed. It holds once somebody else confirms it."))
        return redirect("registers:users")
    return render(
        request,
        "registers/propose.html",
        {
            "form": form,
            "title": _("Propose a role"),
            "trail": [(_("Users and roles"), reverse("registers:users")), (_("Propose a role"), None)],
        },
        status=422 if form.errors else 200,
    )


@roles(*USER_READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def user(request: HttpRequest, number: int) -> HttpResponse:
    """This page will show one account, propose another role for it, invite its person again, or end it."""
    found = get_object_or_404(staff(), pk=number)
    form, end = ProposeForm(known=found, initial=_now(found)), EndAccountForm()
    context: dict[str, Any] = {}
    wrong: Marked | None = None
    if request.method == "POST":
        if role_of(request.user) not in ADMINISTRATORS:
            raise PermissionDenied
        by, at, do = person(request), timezone.now(), request.POST.get("do")
        done = ""
        try:
            if do == "end":
                wrong = end = EndAccountForm(request.POST)
                if end.is_valid():
                    grants.end_account(user=found, reason=end.cleaned_data["why"], by=by, at=at)
                    done = _("Ended: nobody can sign in with this account any more.")
            elif do == "invite":
                context["invited"] = found
                context["invitation"] = spaced(grants.new_invitation(user=found, by=by, at=at))
                context["days"] = grants.INVITATION_DAYS
            else:
                wrong = form = ProposeForm(request.POST, known=found)
                if form.propose(by=by):
                    done = _("Proposed. It holds once somebody else confirms it.")
        except CannotGrant as refusal:
            context["refusal"] = refusal
        if done:
            messages.success(request, done)
            return redirect("registers:user", number)
        found = get_object_or_404(staff(), pk=number)
    label, tone, mark = STATES[state_of(found)]
    bad = wrong is not None and wrong.errors
    return render(
        request,
        "registers/user.html",
        {
            "one": found,
            "label": label,
            "tone": tone,
            "mark": mark,
            "form": form,
            "end": end,
            "wrong": wrong if bad else None,
            "proposing": role_of(request.user) == Role.ADMINISTRATOR and found.pk != request.user.pk,
            "ending": plays(request.user, ADMINISTRATORS) and found.pk != request.user.pk,
            "grants": list(
                Grant.objects.filter(username_key=found.username_key).select_related(
                    "proposed_by", "decided_by", "operator", "division"
                )
            ),
            "history": history(f"user:{found.pk}"),
            "trail": [(_("Users and roles"), reverse("registers:users")), (found.username, None)],
            **context,
        },
        status=422 if bad else 409 if "refusal" in context else 200,
    )


def _now(found: User) -> dict[str, str]:
    return {
        "role": found.role,
        "operator": found.operator.code if found.operator else "",
        "division": found.division.code if found.division else "",
    }


@anyone
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    """This page will let an invited person choose a password."""
    form = InvitedForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            grants.accept(
                secret=form.cleaned_data["code"], password=form.cleaned_data["password"], at=timezone.now()
            )
            messages.success(request, _("Your password is set. Sign in with your user name."))
            return redirect("sign_in")
        except CannotGrant as refusal:
            form.add_error("password" if refusal.code == "password_weak" else "code", str(refusal))
    return render(request, "registers/invitation.html", {"form": form}, status=422 if form.errors else 200)
