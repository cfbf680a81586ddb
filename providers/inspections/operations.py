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
    "no_day": _("A finding needs a day by which it is mended, on or after the inspection."),
    "mended_before": _("This finding was found mended before."),
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
            Finding.objects.bulk_create(
                Finding(
                    inspection=inspection,
                    area=one.area,
                    text=one.text.strip()[:500],
                    mend_until=one.mend_until,
                )
                for one in found
            )
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


def look_again(
    *, finding: Finding, on: date, mended: bool, until: date | None, note: str, by: Any, at: datetime
) -> Finding:
    """This function will note a re-check: mended, or a new day until which it must be. Raises CannotInspect."""
    with transaction.atomic():
        finding = (
            Finding.objects.select_for_update(of=["self"])
            .select_related("inspection__lease__premises__division")
            .get(pk=finding.pk)
        )
        if not may_inspect(finding.inspection.lease, as_now(by)):
            raise CannotInspect("wrong_role")
        if finding.mended_on:
            raise CannotInspect("mended_before")
        if on > day_of(at) or on < finding.inspection.inspected_on:
            raise CannotInspect("in_the_future")
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
        if mended:
            finding.mended_on, finding.mended_by = on, name_of(by)
        elif until is not None:
            finding.mend_until = until
        finding.save(update_fields=["mended_on", "mended_by", "mend_until"])
        record(
            by=by,
            at=at,
            action="recheck_mended" if mended else "recheck_open",
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
