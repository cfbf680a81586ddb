"""Handing papers out, giving them as PDF, and telling anyone whether a paper is genuine."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ledger.seals.operations import stands
from marketplace.web import scope, sheets
from marketplace.web.access import STATEMENT_READERS, anyone, roles
from marketplace.web.papers.forms import VerifyForm
from marketplace.web.papers.render import pdf as render_pdf
from marketplace.web.trace.statements import find, up
from marketplace.web.typeset import NoChineseFont
from providers.handover.operations import digest_of
from providers.models import Handover
from vouchers.models import Paper, Statement
from vouchers.settlement.papers import CannotIssuePaper, check_paper, head_of, issue_paper


@roles(*STATEMENT_READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def hand_out(request: HttpRequest, lease: str, month: date) -> HttpResponse:
    """This page will list the papers of a statement, and hand one out."""
    found = find(request, lease, month)
    refusal: CannotIssuePaper | None = None
    if request.method == "POST":
        kind = request.POST.get("kind", "")
        if kind not in Paper.Kind.values:
            raise Http404("no such paper")
        try:
            paper = issue_paper(statement=found, kind=kind, by=request.user, at=timezone.now())
            messages.success(request, _("%(number)s is ready.") % {"number": paper.number})
            return redirect("papers", lease, month)
        except CannotIssuePaper as refused:
            refusal = refused
    handed_out = {paper.kind: paper for paper in found.papers.all()}
    return render(
        request,
        "papers/papers.html",
        {
            "statement": found,
            "lease": found.lease,
            "papers": [
                (kind, label, handed_out.get(kind), _why_not(request, found, kind))
                for kind, label in Paper.Kind.choices
            ],
            "refusal": refusal,
            "trail": [*up(request, found), (_("Papers"), None)],
        },
        status=409 if refusal else 200,
    )


def _why_not(request: HttpRequest, found: Statement, kind: str) -> CannotIssuePaper | None:
    try:
        check_paper(found, kind=kind, by=request.user)
    except CannotIssuePaper as refusal:
        return refusal
    return None


@roles(*STATEMENT_READERS)
@require_safe
def pdf(request: HttpRequest, number: str) -> HttpResponse:
    """This page will give a paper as PDF."""
    paper = get_object_or_404(
        Paper.objects.select_related("statement__lease").filter(statement__in=scope.statements(request.user)),
        number=number,
    )
    address = request.build_absolute_uri(reverse("verify", args=[paper.number, paper.code]))
    try:
        data = render_pdf(paper, address=address, language=get_language() or "zh-hans")
    except NoChineseFont as refusal:
        messages.error(request, str(refusal))
        return redirect("papers", paper.statement.lease.code, paper.statement.month)
    return HttpResponse(
        data,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{paper.number}.pdf"'},
    )


@anyone
@require_safe
def verify(request: HttpRequest, number: str, code: str) -> HttpResponse:
    """This page will show what a genuine paper says, or that there is no such paper; nothing personal."""
    paper: Paper | Handover | None
    if number.startswith("JK-"):
        approved = Handover.objects.filter(state__in=["approved", "paid"]).select_related("owner")
        paper = approved.filter(number=number).first()
    else:
        paper = Paper.objects.select_related("statement").filter(number=number).first()
    if paper is None or not constant_time_compare(paper.code, code.upper()):
        form = VerifyForm(initial={"number": number, "code": code})
        return render(
            request, "papers/verify.html", {"form": form, "unknown": True, "trail": _trail()}, status=404
        )
    if isinstance(paper, Handover):
        lines = [(line.lease.code, line.amount) for line in paper.lines.select_related("lease")]
        about = {"handover": paper, "lines": lines, "digest": digest_of(paper), "trail": _trail()}
        return render(request, "papers/verify.html", about)
    figures = [
        {"label": sheets.HEADINGS[name], "amount": value} for name, value in paper.content["figures"].items()
    ]
    head = head_of(paper)
    about = {"paper": paper, "figures": figures, "head": head, "stands": head and stands(head)}
    return render(request, "papers/verify.html", {**about, "trail": _trail()})


@anyone
@require_safe
def ask(request: HttpRequest) -> HttpResponse:
    """This page will ask for a paper's number and code, for those who cannot scan it."""
    form = VerifyForm(request.GET or None)
    if form.is_bound and form.is_valid():
        return redirect("verify", form.cleaned_data["number"], form.cleaned_data["code"])
    return render(
        request,
        "papers/verify.html",
        {"form": form, "trail": _trail()},
        status=422 if form.is_bound else 200,
    )


def _trail() -> list[tuple[str, Any]]:
    return [(_("Verify a paper"), None)]
