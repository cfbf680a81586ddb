"""The monthly look at each place (一月一督查): what was found, until when it is to be mended, and the look again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import as_now, name_of, record
from ledger.journal.queries import day_of, last_day
from ledger.refusals import Refusal
from providers.models import Finding, Inspection, Lease, ReCheck

SENTENCES = {
    "wrong_role": _("Officers of the street and clerks of the bureau inspect places of their own division."),
    "in_the_future": _("This day has not come yet."),
    "inspected_before": _("This place was inspected on this day already."),
    "too_early": _("The day lies before the inspection or the last look at this finding."),
    "no_day": _("A finding needs a day by which it is mended, on or after the inspection."),
    "nothing_found": _("Say what was found."),
    "mended_before": _("This finding was found mended before."),
    "no_reason": _("Say why it is not mended after all."),
}


class CannotInspect(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


@dataclass(frozen=True, slots=True)
class Found:
    """What is wrong, and the last day on which it may be so."""

    area: str
    text: str
    mend_until: date


def may_inspect(lease: Lease, by: Any) -> bool:
    division = lease.premises.division
    return by.holds("street_officer", division=division) or by.holds("bureau_clerk", division=division)


def inspect(
    *, lease: Lease, on: date, note: str, found: Sequence[Found], by: Any, at: datetime
) -> Inspection:
    """This function will note an inspection and what it found. Raises CannotInspect."""
    if on > day_of(at):
        raise CannotInspect("in_the_future")
    if any(one.mend_until < on for one in found):
        raise CannotInspect("no_day")
    try:
        with transaction.atomic():
            if not may_inspect(lease, as_now(by)):
                raise CannotInspect("wrong_role")
            inspection = Inspection.objects.create(
                lease=lease, inspected_on=on, by=name_of(by), at=at, note=note.strip()[:500]
            )
            Finding.objects.bulk_create(_findings(inspection, found))
            record(
                by=by,
                at=at,
                action="inspect",
                subject=lease.code,
                detail={"on": str(on), "findings": len(found)},
            )
    except IntegrityError as error:
        if "inspection_once_a_day" in str(error):
            raise CannotInspect("inspected_before") from None
        raise
    return inspection


def add_findings(*, inspection: Inspection, found: Sequence[Found], by: Any, at: datetime) -> list[Finding]:
    """This function will note what else an inspection found; each says who added it. Raises CannotInspect."""
    if not found:
        raise CannotInspect("nothing_found")
    if any(one.mend_until < inspection.inspected_on for one in found):
        raise CannotInspect("no_day")
    with transaction.atomic():
        if not may_inspect(inspection.lease, as_now(by)):
            raise CannotInspect("wrong_role")
        added = _findings(inspection, found, added_by=name_of(by), added_at=at)
        Finding.objects.bulk_create(added)
        record(
            by=by,
            at=at,
            action="add_findings",
            subject=inspection.lease.code,
            detail={"on": str(inspection.inspected_on), "findings": len(added)},
        )
    return added


def _findings(inspection: Inspection, found: Sequence[Found], **added: Any) -> list[Finding]:
    return [
        Finding(
            inspection=inspection,
            area=one.area,
            text=one.text.strip()[:500],
            mend_until=one.mend_until,
            **added,
        )
        for one in found
    ]


def look_again(
    *, finding: Finding, on: date, mended: bool, until: date | None, note: str, by: Any, at: datetime
) -> Finding:
    """This function will note a re-check: mended, or a new day until which it must be.

    What was found mended and is not after all is open again, with its reason; both looks stay. Raises CannotInspect.
    """
    with transaction.atomic():
        finding = (
            Finding.objects.select_for_update(of=["self"])
            .select_related("inspection__lease__premises__division")
            .get(pk=finding.pk)
        )
        if not may_inspect(finding.inspection.lease, as_now(by)):
            raise CannotInspect("wrong_role")
        if finding.mended_on and mended:
            raise CannotInspect("mended_before")
        if finding.mended_on and not note.strip():
            raise CannotInspect("no_reason")
        if on > day_of(at):
            raise CannotInspect("in_the_future")
        last = finding.rechecks.order_by("-id").first()
        if on < (last.checked_on if last else finding.inspection.inspected_on):
            raise CannotInspect("too_early")
        if not mended and (until is None or until < on):
            raise CannotInspect("no_day")
        ReCheck.objects.create(
            finding=finding,
            checked_on=on,
            mended=mended,
            until_on=None if mended else until,
            note=note.strip()[:500],
            by=name_of(by),
            at=at,
        )
        action = "recheck_mended" if mended else "recheck_reopened" if finding.mended_on else "recheck_open"
        finding.mended_on, finding.mended_by = (on, name_of(by)) if mended else (None, "")
        if not mended and until is not None:
            finding.mend_until = until
        finding.save(update_fields=["mended_on", "mended_by", "mend_until"])
        record(
            by=by,
            at=at,
            action=action,
            subject=finding.inspection.lease.code,
            detail={"finding": finding.pk, "until": str(until or "")},
        )
    return finding


def not_inspected(month: date, leases: Any) -> list[Lease]:
    """Of these leases (a queryset), those in force in a month that nobody has inspected in it."""
    running = leases.filter(starts_on__lte=last_day(month), ends_on__gte=month)
    seen = Inspection.objects.filter(inspected_on__gte=month, inspected_on__lte=last_day(month))
    return list(
        running.exclude(pk__in=seen.values("lease")).select_related("premises", "operator").order_by("code")
    )
