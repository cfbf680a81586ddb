"""Starting a job, letting it go on, dropping it, and doing its work.

A job is owed through the outbox, in the transaction that makes it: it is done even if the broker is down now
or a worker dies, and what is done twice is done once.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.files.problems import FileRefused, Problem
from ledger.journal.operations import Busy
from ledger.outbox.operations import owe
from ledger.refusals import Refusal
from marketplace.jobs import vault
from marketplace.jobs.kick import wake_worker
from marketplace.jobs.kinds import KINDS, Work
from marketplace.jobs.models import Job, JobLine
from marketplace.jobs.progress import Reporter

logger = logging.getLogger(__name__)

TOPIC = "job"
KEPT_DAYS = 7  # a checked upload that nobody goes on with
BATCH = 500

State, Stage = Job.State, Job.Stage

SENTENCES = {
    "not_city": _("This is done for the whole city; your account answers for one division."),
    "too_large": _("A file is larger than 512 MB. Split it and upload the parts."),
    "file_twice": _("Two files bear the same name. Choose each file once."),
    "gaps_unseen": _("Say that you know what is missing between the balances, or drop the file."),
    "moved_on": _("This has gone on meanwhile. Reload the page to see where it stands."),
}


class CannotStart(Refusal):
    """Refused; nothing is kept. `code` is one of SENTENCES."""

    sentences = SENTENCES


def start(
    *,
    kind: str,
    args: dict[str, Any],
    by: Any,
    at: datetime,
    files: Sequence[tuple[str, Iterable[bytes]]] = (),
) -> Job:
    """This function will note a job with its files, and owe its first stage.

    `files` are names and bytes in pieces. Raises CannotStart: not_city, too_large, file_twice.
    """
    if kind != Job.Kind.STEPS and by.division_id is not None:
        raise CannotStart("not_city")
    if len({name for name, _chunks in files}) < len(files):
        raise CannotStart("file_twice")
    with transaction.atomic():
        stage = Stage.CHECK if KINDS[kind].check else Stage.DO
        job = Job.objects.create(kind=kind, args=args, by=by, created_at=at, stage=stage)
        try:
            kept = [vault.keep(job, name=name, chunks=chunks) for name, chunks in files]
        except vault.TooLarge:
            transaction.set_rollback(True)
            raise CannotStart("too_large") from None
        shown = {name: value for name, value in args.items() if name != "seen"}
        record(
            by=by,
            at=at,
            action=f"start_{kind}",
            subject=f"job {job.pk}",
            detail={**shown, "files": [[file.name, file.sha256] for file in kept]},
        )
        _owe(job, at)
    return job


def go_on(*, job: Job, by: Any, at: datetime, knowing: bool = False) -> Job:
    """This function will let a checked job be done.

    `knowing`: the person says to know that balances of a bank's file break, and takes it so.
    Raises CannotStart: moved_on, gaps_unseen.
    """
    with transaction.atomic():
        job = Job.objects.select_for_update(of=["self"]).get(pk=job.pk)
        if job.state != State.CHECKED:
            raise CannotStart("moved_on")
        gaps = len(job.result.get("marks", []))
        if gaps and not knowing:
            raise CannotStart("gaps_unseen")
        job.state, job.stage, job.ended_at = State.WAITING, Stage.DO, None
        job.done = job.total = 0
        job.save(update_fields=["state", "stage", "ended_at", "done", "total"])
        detail = {"gaps": gaps} if gaps else {}
        record(by=by, at=at, action=f"do_{job.kind}", subject=f"job {job.pk}", detail=detail)
        _owe(job, at)
    return job


def drop(*, job: Job, by: Any, at: datetime) -> Job:
    """This function will end a checked job without doing it, and forget its files. Raises CannotStart: moved_on."""
    with transaction.atomic():
        job = Job.objects.select_for_update(of=["self"]).get(pk=job.pk)
        if job.state != State.CHECKED:
            raise CannotStart("moved_on")
        job.state, job.ended_at = State.DROPPED, at
        job.save(update_fields=["state", "ended_at"])
        vault.forget(job)
        record(by=by, at=at, action=f"drop_{job.kind}", subject=f"job {job.pk}")
    return job


def drop_forgotten(*, by: Any, at: datetime) -> int:
    """This function will drop what was checked a week ago and never gone on with; how many."""
    old = Job.objects.filter(state=State.CHECKED, ended_at__lt=at - timedelta(days=KEPT_DAYS))
    for job in (found := list(old.order_by("id"))):
        drop(job=job, by=by, at=at)
    return len(found)


def _owe(job: Job, at: datetime) -> None:
    payload = {"job": job.pk, "stage": str(job.stage)}
    owe(key=f"job:{job.pk}:{job.stage}", topic=TOPIC, payload=payload, at=at)
    transaction.on_commit(wake_worker)


def work(payload: dict[str, Any], *, clock: Callable[[], datetime]) -> None:
    """This function will do one stage of a job that is owed, once.

    1. Nothing, when that stage was done before.
    2. Run it; keep its result and its lines, and forget the files once no stage needs them.
    3. What it refuses is its result. When the database is gone or another run keeps it out, it is owed still.
    """
    job = Job.objects.select_related("by").get(pk=payload["job"])
    if job.stage != payload["stage"] or not job.under_way:
        return
    Job.objects.filter(pk=job.pk).update(state=State.WORKING, started_at=clock(), alive_at=clock())
    job.lines.filter(stage=job.stage).delete()
    lines: list[JobLine] = []
    kind = KINDS[job.kind]
    try:
        with vault.unpacked(job) as directory, Reporter(job) as progress:
            run = kind.check if job.stage == Stage.CHECK else kind.do
            assert run is not None
            result = run(Work(job, directory, progress, _teller(job, lines), clock))
        state = State.CHECKED if job.stage == Stage.CHECK else State.DONE
    except FileRefused as refused:
        state, result = State.REFUSED, _problems(refused)
    except kind.refusals as refusal:
        state, result = State.REFUSED, {"refusal": _said(refusal)}
    except (Busy, OperationalError, InterfaceError):
        Job.objects.filter(pk=job.pk).update(state=State.WAITING)
        raise
    except Exception as error:
        logger.exception("job %s failed", job.pk)
        state, result = State.FAILED, {"error": type(error).__name__}
    with transaction.atomic():
        JobLine.objects.bulk_create(lines)
        Job.objects.filter(pk=job.pk).update(state=state, result=result, ended_at=clock())
        if state != State.CHECKED:
            vault.forget(job)


def _teller(job: Job, lines: list[JobLine]) -> Callable[[int, str, str], None]:
    """What takes the lines of a job: they are written in batches, the last ones with the result."""

    def tell(line: int, about: str, word: str) -> None:
        lines.append(JobLine(job=job, stage=job.stage, line=line, about=about[:80], word=word))
        if len(lines) >= BATCH:
            JobLine.objects.bulk_create(lines)
            lines.clear()

    return tell


def _problems(refused: FileRefused) -> dict[str, Any]:
    return {"problems": [_problem(one) for one in refused.problems], "total": refused.total}


def _problem(one: Problem) -> dict[str, Any]:
    """Kept untranslated beside its values, so that each reader has it in their own language."""
    with translation.override("en"):
        values = {name: value if isinstance(value, int) else str(value) for name, value in one.values.items()}
        return {
            "file": one.file,
            "line": one.line,
            "column": one.column,
            "message": str(one.message),
            "values": values,
        }


def _said(refusal: Exception) -> str:
    with translation.override("en"):
        return str(refusal)
