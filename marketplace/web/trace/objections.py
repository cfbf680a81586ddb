"""What the operator says against a statement, and what the bureau answers: one page for both."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from marketplace.accounts.models import Role
from marketplace.web import scope
from marketplace.web.access import STATEMENT_READERS, role_of, roles
from marketplace.web.forms import row_number
from marketplace.web.trace.figures import FIGURES
from marketplace.web.trace.forms import AnswerForm, ObjectionForm
from marketplace.web.trace.statements import find, term_of, up
from vouchers.models import Objection, Statement
from vouchers.settlement.objections import CannotObject, answer, may_object, object_to


@roles(*STATEMENT_READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def objections(request: HttpRequest, lease: str, month: date) -> HttpResponse:
    """This page will list what was said against a statement, take one more objection, or an answer."""
    found = find(request, lease, month)
    form: ObjectionForm | AnswerForm | None = None
    refusal: CannotObject | None = None
    if request.method == "POST":
        form, refusal = _take(request, found)
        if form.is_valid() and refusal is None:
            return redirect("objections", lease, month)
    listed: list[Any] = list(
        found.objections.select_related("by", "answered_by", "redemption").order_by("id")
    )
    objecting = may_object(found, request.user)
    answering = role_of(request.user) == Role.BUREAU_CLERK
    for one in listed:
        one.form = AnswerForm(prefix=f"o{one.pk}") if answering and not one.answer else None
        if isinstance(form, AnswerForm) and form.prefix == f"o{one.pk}":
            one.form = form
        one.label = FIGURES[one.figure].label if one.figure in FIGURES else one.figure
        one.own = objecting and not one.answer
    return render(
        request,
        "trace/objections.html",
        {
            "statement": found,
            "lease": found.lease,
            "objections": listed,
            "form": form if isinstance(form, ObjectionForm) else _empty(request) if objecting else None,
            "wrong": form if form is not None and form.errors else None,
            "refusal": refusal,
            "term": term_of(found),
            "trail": [*up(request, found), (_("Objections"), None)],
        },
        status=422 if form is not None and form.errors else 409 if refusal else 200,
    )


def _empty(request: HttpRequest) -> ObjectionForm:
    return ObjectionForm(
        initial={
            "figure": request.GET.get("figure", ""),
            "redemption": request.GET.get("redemption", "")[:24],
        }
    )


def _take(request: HttpRequest, found: Statement) -> tuple[ObjectionForm | AnswerForm, CannotObject | None]:
    """Read one of the page's forms and make its call; the form, and the refusal if there was one."""
    at: dict[str, Any] = {"by": request.user, "at": timezone.now()}
    form: ObjectionForm | AnswerForm
    number = request.POST.get("objection", "")
    try:
        if number:
            one = get_object_or_404(found.objections, pk=row_number(number))
            withdrawn = request.POST.get("answer") == Objection.Answer.WITHDRAWN
            form = AnswerForm(
                {"answer": Objection.Answer.WITHDRAWN, "reply": "-"} if withdrawn else request.POST,
                prefix="" if withdrawn else f"o{one.pk}",
            )
            if form.is_valid():
                reply = "" if withdrawn else form.cleaned_data["reply"]
                answer(objection=one, answer=form.cleaned_data["answer"], reply=reply, **at)
                messages.success(
                    request, _("The objection is withdrawn.") if withdrawn else _("The answer is on record.")
                )
        else:
            form = ObjectionForm(request.POST)
            if form.is_valid():
                redemption = None
                if form.cleaned_data["redemption"]:
                    numbered = scope.redemptions(request.user).by_number(form.cleaned_data["redemption"])
                    redemption = numbered.first()
                    if redemption is None:
                        raise CannotObject("not_on_statement")
                object_to(
                    statement=found,
                    figure=form.cleaned_data["figure"],
                    redemption=redemption,
                    text=form.cleaned_data["text"],
                    **at,
                )
                messages.success(request, _("Your objection is on record. The bureau answers it here."))
    except CannotObject as refusal:
        return form, refusal
    return form, None
