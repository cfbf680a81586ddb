"""A month's books in Fava, behind this site's sign-in: nothing but GET reaches it."""

from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from ledger.audit.operations import record
from marketplace.browsing.operations import NotYet, TooLarge, ask, ledger_of, open_books
from marketplace.templatetags.yiquan import month_name
from marketplace.web.access import BUREAU, roles, whole_city
from marketplace.web.reports.books import kept

# Fava is not ours: its own editor makes style sheets and runs WebAssembly. Only its pages may, and only from here.
allowed: Any = csp_update(
    {"style-src": ["'self'", "'unsafe-inline'"], "script-src": ["'self'", "'wasm-unsafe-eval'"]}
)


@roles(*BUREAU)
@whole_city
@require_safe
@allowed
def fava(request: HttpRequest, month: date, rest: str = "") -> HttpResponse:
    """This page will show what Fava shows of a month's books; who opened them is noted."""
    ledger = ledger_of(kept(), month)
    if ledger is None:
        raise Http404("no books of this month are written yet")
    prefix = reverse("reports:fava", args=[month]).rstrip("/")
    try:
        port, begun = open_books(ledger=ledger, prefix=prefix, run=Path(settings.DATA_DIR) / "run")
    except TooLarge:
        return _instead(request, month, status=200)
    if begun:
        record(by=request.user, at=timezone.now(), action="open_books", subject=f"{month:%Y-%m}")
    try:
        answer = ask(port=port, path=request.get_full_path(), language=get_language() or "zh-hans")
    except NotYet:
        waiting = _instead(request, month, status=202)
        waiting["Retry-After"] = waiting["Refresh"] = "2"
        return waiting
    response = HttpResponse(answer.body, status=answer.status)
    for name, value in answer.headers.items():
        response[name] = (
            urlsplit(value)._replace(scheme="", netloc="").geturl() if name == "Location" else value
        )
    if "/static/" in rest:
        response["Cache-Control"] = "private, max-age=86400"
    return response


def _instead(request: HttpRequest, month: date, *, status: int) -> HttpResponse:
    return render(
        request,
        "reports/fava.html",
        {
            "month": month,
            "waiting": status == 202,
            "trail": [
                (_("Monthly reports"), reverse("reports:index")),
                (_("Books"), reverse("reports:books")),
                (month_name(month), None),
            ],
        },
        status=status,
    )
