"""Starting work, looking how far it is, letting what was checked go on."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from ledger.files.write import As, Field
from marketplace.accounts.models import Role
from marketplace.jobs.models import Job, JobLine
from marketplace.jobs.operations import CannotStart, drop, go_on, start
from marketplace.web import scope
from marketplace.web.access import BUREAU, STATEMENT_READERS, plays, role_of, roles, whole_city
from marketplace.web.bureau.balances import shown
from marketplace.web.exports import Sheet, export
from marketplace.web.lists import Listing
from marketplace.web.work import words
from marketplace.web.work.forms import FORMS, WorkForm

SORTS = {"id": ("id",), "line": ("line", "id"), "word": ("word", "id")}


def seen_by(user: Any) -> QuerySet[Job]:
    """The bureau sees every job; others, and those who answer for one division, their own."""
    everything = Job.objects.select_related("by")
    return everything if scope.sees_whole_city(user) and user.role in BUREAU else everything.filter(by=user)


def _told(job: Any) -> Any:
    """With what the templates write of it."""
    job.about = words.ABOUT[Job.Kind(job.kind)]
    job.tone, job.mark = words.MARKS[Job.State(job.state)]
    job.what = (
        job.args.get("on")
        or job.args.get("month", "")[:7]
        or ", ".join(file.name for file in job.files.all())
    )
    return job


@roles(*BUREAU)
@whole_city
@require_safe
def hub(request: HttpRequest) -> HttpResponse:
    """This page will show what can be run, and what was run last."""
    listing = Listing(
        request,
        seen_by(request.user).prefetch_related("files"),
        sorts={"id": ("id",)},
        default="-id",
        per_page=20,
    )
    return render(
        request,
        "work/hub.html",
        {
            "kinds": [(name, words.ABOUT[Job.Kind(name)]) for name in FORMS],
            "starting": plays(request.user, frozenset({Role.BUREAU_CLERK})),
            "listing": listing,
            "jobs": [_told(job) for job in listing.page],
            "trail": [(_("Work"), None)],
        },
    )


@roles(*BUREAU)
@whole_city
@require_http_methods(["GET", "HEAD", "POST"])
def kind(request: HttpRequest, kind: str) -> HttpResponse:
    """This page will ask what one kind of work needs, start it, and list its runs before."""
    if kind not in FORMS:
        raise Http404("no such work")
    starting = role_of(request.user) == Role.BUREAU_CLERK
    form: WorkForm = FORMS[kind]()
    refusal: CannotStart | None = None
    if request.method == "POST":
        if not starting:
            raise PermissionDenied
        form = FORMS[kind](request.POST, request.FILES)
        if form.is_valid():
            try:
                job = start(kind=kind, args=form.args, files=form.uploads, by=request.user, at=timezone.now())
                return redirect("job", job.pk)
            except CannotStart as refused:
                refusal = refused
    about = words.ABOUT[Job.Kind(kind)]
    listing = Listing(
        request,
        seen_by(request.user).filter(kind=kind).prefetch_related("files"),
        sorts={"id": ("id",)},
        default="-id",
        per_page=20,
    )
    return render(
        request,
        "work/kind.html",
        {
            "kind": kind,
            "about": about,
            "form": form if starting else None,
            "refusal": refusal,
            "listing": listing,
            "jobs": [_told(job) for job in listing.page],
            "trail": [(_("Work"), reverse("work")), (str(about.label), None)],
        },
        status=422 if form.errors or refusal else 200,
    )


@roles(*STATEMENT_READERS)
@require_http_methods(["GET", "HEAD", "POST"])
def job(request: HttpRequest, number: int) -> HttpResponseBase:
    """This page will show how far a job is and what came of it; what was checked can be done or dropped."""
    found = get_object_or_404(seen_by(request.user).prefetch_related("files"), pk=number)
    deciding = role_of(request.user) == Role.BUREAU_CLERK
    refusal: CannotStart | None = None
    if request.method == "POST":
        if not deciding:
            raise PermissionDenied
        try:
            if request.POST.get("do") == "drop":
                drop(job=found, by=request.user, at=timezone.now())
                messages.success(request, _("Dropped: nothing was done, and the files are gone."))
            else:
                knowing = "knowing" in request.POST
                go_on(job=found, by=request.user, at=timezone.now(), knowing=knowing)
            return redirect("job", found.pk)
        except CannotStart as refused:
            refusal = refused
            found.refresh_from_db()
    lines = JobLine.objects.filter(job=found, stage=found.stage)
    listing = Listing(request, lines, sorts=SORTS, per_page=100)
    if (file := export(request, _sheet(found, listing))) is not None:
        return file
    result = found.result
    columns = result.get("columns", [])
    return render(
        request,
        "work/job.html",
        {
            "job": _told(found),
            "deciding": deciding and found.state == Job.State.CHECKED,
            "refusal": refusal,
            "result": result,
            "said": words.told(result.get("refusal", "")),
            "counts": [(words.COUNTS.get(n, n), v) for n, v in result.get("counts", {}).items()],
            "columns": [words.COLUMNS[name] for name in columns],
            "rows": [list(map(words.cell, columns, row)) for row in result.get("rows", [])],
            "breaks": [shown(one) for one in result.get("breaks", [])],
            "problems": [{**one, "sentence": words.problem(one)} for one in result.get("problems", [])],
            "listing": listing,
            "lines": [(line, words.word(line.word)) for line in listing.page],
            "again": reverse("work_kind", args=[found.kind])
            if found.kind in FORMS and plays(request.user, BUREAU, city=True)
            else "",
            "statements": found.kind in (Job.Kind.STEPS, Job.Kind.CLOSE),
            "trail": _trail(request, found),
        },
        status=409 if refusal else 200,
    )


def _trail(request: HttpRequest, found: Job) -> list[tuple[str, str | None]]:
    label = str(words.ABOUT[Job.Kind(found.kind)].label)
    here: tuple[str, str | None] = (_("Run %(number)s") % {"number": found.pk}, None)
    if not plays(request.user, BUREAU, city=True) or found.kind not in FORMS:
        return [(label, None), here] if found.kind not in FORMS else [here]
    return [(_("Work"), reverse("work")), (label, reverse("work_kind", args=[found.kind])), here]


def _sheet(found: Job, listing: Listing) -> Sheet:
    return Sheet(
        name=f"run-{found.pk}",
        title=f"run-{found.pk}",
        fields=(
            Field(_("Line"), As.NUMBER, width=8),
            Field(_("About"), width=30),
            Field(_("Code"), width=22),
            Field(_("What is the matter"), width=60),
        ),
        rows=([line.line or None, line.about, line.word, words.word(line.word)] for line in listing.rows),
    )
