"""Taking in what is told of visits. The caller (marketplace/fulfilment/visits.py) holds the lock of the elder.

Note [Key first]: as with redemptions, a key that was used is answered before anything else is looked at; what was
refused then is refused again with the same code.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from ledger.audit.operations import name_of, record
from ledger.journal.queries import day_of
from providers.models import Caregiver
from providers.premises.distances import distance_km
from providers.premises.queries import centre_of
from vouchers.codes import token
from vouchers.codes.operations import identify, pin_digest
from vouchers.codes.refusals import SENTENCES as OF_CODES
from vouchers.codes.refusals import CannotIdentify
from vouchers.photos.cleaning import Clean
from vouchers.photos.operations import keep
from vouchers.review.facts import VISITS
from vouchers.terminals.serving import AHEAD, BACK
from vouchers.visits.evidence import Evidence, grade
from vouchers.visits.models import Visit, VisitReport
from vouchers.visits.refusals import CannotReport
from vouchers.wallets.models import Hold

Kind, How = VisitReport.Kind, VisitReport.How

PHOTOS = 6
LIVE = timedelta(minutes=1)
"""What is told later than this was told without a network: a code is judged against the moment it was shown."""
TRY_AGAIN = {"pin_locked", "too_soon"}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a telephone says that it is: degrees, and how far off that may be in metres."""

    longitude: float
    latitude: float
    accuracy_m: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one visit. `scope` says whose key it is."""

    scope: str
    key: str
    kind: str
    happened_at: datetime
    credential: Mapping[str, str] = field(default_factory=dict)
    quantity: int | None = None
    spot: Spot | None = None
    picture: Clean | None = None

    def digest(self, hold: Hold) -> bytes:
        """SHA-256 of the content; a PIN only as a keyed hash."""
        credential = dict(self.credential)
        if pin := credential.get("pin"):
            credential["pin"] = pin_digest(code=credential.get("code", ""), pin=pin)
        content = [
            hold.key,
            self.kind,
            self.happened_at.astimezone(UTC).isoformat(),
            sorted(credential.items()),
            self.quantity,
            [self.spot.longitude, self.spot.latitude, self.spot.accuracy_m] if self.spot else None,
            hashlib.sha256(self.picture.data).hexdigest() if self.picture else None,
        ]
        return hashlib.sha256(json.dumps(content).encode()).digest()


def scope_of(caregiver: Caregiver) -> str:
    """Whose keys they are, and the name under which a caregiver redeems."""
    return f"caregiver:{caregiver.code}"


def told_before(*, told: Told, hold: Hold) -> VisitReport | None:
    """The report of this key, if there is one that was taken. Raises CannotReport where it was refused then, or
    was something else."""
    known = VisitReport.objects.filter(scope=told.scope, key=told.key).first()
    if known is None:
        return None
    if bytes(known.request) != told.digest(hold):
        raise CannotReport("key_reused")
    if known.refusal:
        raise refused(known.refusal)
    return known


def refused(code: str) -> CannotReport:
    """The refusal of this code, whoever it came from."""
    return CannotReport(code, cause=CannotIdentify(code) if code in OF_CODES else None)


def check_time(*, told: Told, hold: Hold, at: datetime) -> None:
    """Raises CannotReport: too_soon, out_of_time, wrong_day."""
    if told.happened_at > at + AHEAD:
        raise CannotReport("too_soon")
    if told.happened_at < at - BACK:
        raise CannotReport("out_of_time")
    if told.kind == Kind.ARRIVED and day_of(told.happened_at) != hold.service_on:
        raise CannotReport("wrong_day")


def shown(*, told: Told, at: datetime) -> tuple[str, str]:
    """Whom the credential shows (the elder's code), and how; that it was used is noted. Nothing for other reports.

    A PIN is counted in a transaction of its own: call it outside any. Raises CannotReport with the code of
    vouchers/codes/refusals.py.
    """
    if told.kind != Kind.CONFIRMED or not told.credential:
        return "", ""
    later = told.happened_at if at - told.happened_at > LIVE else None
    try:
        elder = identify(credential=told.credential, terminal_key=told.scope, at=at, taken_at=later)
    except CannotIdentify as cause:
        raise CannotReport(cause.code, cause=cause) from cause
    if "pin" not in told.credential:
        return elder, How.CODE
    return elder, How.CARD if token.looks_like_one(told.credential.get("code", "")) else How.PIN


def take(
    *,
    told: Told,
    hold: Hold,
    caregiver: Caregiver,
    elder: str = "",
    how: str = "",
    by: Any,
    at: datetime,
) -> tuple[Visit | None, VisitReport]:
    """This function will take in one report, inside a transaction that has locked the hold's elder.

    1. Check it against what was told before.
    2. Begin the visit (arrived), or end it (left, nobody there).
    3. Write the report, with its photo, and grade the visit anew.

    Raises CannotReport; nothing is written.
    """
    visit = Visit.objects.select_for_update(of=["self"]).filter(hold=hold).first()
    visit = CHECKS[Kind(told.kind)](told, hold, caregiver, visit, elder, how)
    report = _write(told, hold, caregiver, how=how, by=by, at=at)
    if visit is not None:
        regrade(visit)
    record(
        by=by,
        at=at,
        action=f"visit_{told.kind}",
        subject=hold.key,
        detail={"caregiver": caregiver.code, "report": report.number, **({"how": how} if how else {})},
    )
    return visit, report


def note_refused(
    *, told: Told, hold: Hold, caregiver: Caregiver, code: str, by: Any, at: datetime
) -> VisitReport | None:
    """This function will keep what was told and not taken, so that it is not lost; None where it is kept already
    or may yet be taken when it is sent again."""
    if code in {*TRY_AGAIN, "key_reused"}:
        return None
    try:
        with transaction.atomic():
            return _write(
                told, hold, caregiver, refusal=code, by=by, at=at, placeless=told.kind != Kind.ARRIVED
            )
    except IntegrityError:
        return None


def is_at_door(hold: Hold) -> bool:
    """What is handed over at the door needs no stay and no word of the elder's: meals."""
    return hold.service.category not in VISITS


def waits_for_word(visit: Visit) -> bool:
    """Whether the elder has not been heard yet."""
    said = {Kind.CONFIRMED, Kind.DENIED}
    return not VisitReport.objects.filter(hold=visit.hold_id, refusal="", kind__in=said).exists()


def regrade(visit: Visit) -> None:
    """This function will grade a visit by what is there now."""
    found = evidence_of(visit)
    if visit.grade != grade(found):
        visit.grade = grade(found)
        visit.save(update_fields=["grade"])


def evidence_of(visit: Visit) -> Evidence:
    """What is there of a visit."""
    reports = list(VisitReport.objects.filter(hold=visit.hold_id, refusal=""))
    arrived = next((one for one in reports if one.kind == Kind.ARRIVED), None)
    away = None
    if arrived is not None and arrived.longitude is not None and arrived.latitude is not None:
        centre = centre_of(visit.hold.elder.division)
        if centre is not None:
            away = distance_km(centre, (float(arrived.longitude), float(arrived.latitude)))
    return Evidence(
        arrived=True,
        left=visit.left_at is not None and visit.quantity is not None,
        how=next((one.how for one in reports if one.kind == Kind.CONFIRMED), ""),
        denied=any(one.kind == Kind.DENIED for one in reports),
        photos=sum(one.kind == Kind.PHOTO for one in reports),
        away_km=away,
    )


# What each kind of report asks and does


def _arrived(
    told: Told, hold: Hold, caregiver: Caregiver, visit: Visit | None, elder: str, how: str
) -> Visit | None:
    if visit is not None:
        raise CannotReport("arrived_before")
    return _begin(hold, caregiver, told.happened_at)


def _begin(hold: Hold, caregiver: Caregiver, at: datetime, *, left_at: datetime | None = None) -> Visit:
    """The database decides whether the caregiver can be there; the question before it is for the sentence."""
    _one_at_a_time(caregiver.pk)
    if Visit.objects.filter(caregiver=caregiver, left_at=None, arrived_at__lte=at).exists():
        raise CannotReport("elsewhere")
    try:
        with transaction.atomic():
            return Visit.objects.create(hold=hold, caregiver=caregiver, arrived_at=at, left_at=left_at)
    except IntegrityError as error:
        if "visits_of_one_caregiver_never_overlap" not in str(error):
            raise
        raise CannotReport("overlaps") from None


def _one_at_a_time(caregiver: int) -> None:
    """Two rows that overlap, written at once, would wait for one another: this lock comes after the elder's."""
    Caregiver.objects.select_for_update(no_key=True).get(pk=caregiver)


def _there(visit: Visit | None, told: Told) -> Visit:
    if visit is None:
        raise CannotReport("not_arrived")
    if told.happened_at < visit.arrived_at:
        raise CannotReport("before_arrival")
    return visit


def _still_there(visit: Visit | None, told: Told) -> Visit:
    visit = _there(visit, told)
    if visit.left_at is not None and told.happened_at > visit.left_at:
        raise CannotReport("left_before")
    return visit


def _photo(
    told: Told, hold: Hold, caregiver: Caregiver, visit: Visit | None, elder: str, how: str
) -> Visit | None:
    if told.picture is None:
        raise CannotReport("photo_missing")
    if VisitReport.objects.filter(hold=hold, kind=Kind.PHOTO, refusal="").count() >= PHOTOS:
        raise CannotReport("photo_too_many")
    return _still_there(visit, told)


def _confirmed(
    told: Told, hold: Hold, caregiver: Caregiver, visit: Visit | None, elder: str, how: str
) -> Visit | None:
    if not how or (how != How.HOTLINE and elder != hold.elder.code):
        raise CannotReport("another_elder" if how else "by_caregiver")
    if VisitReport.objects.filter(hold=hold, kind__in=[Kind.CONFIRMED, Kind.DENIED], refusal="").exists():
        raise CannotReport("confirmed_before")
    if how == How.HOTLINE:
        if visit is None or visit.left_at is None:
            raise CannotReport("not_waiting")
        return visit
    return _still_there(visit, told)


def _left(
    told: Told, hold: Hold, caregiver: Caregiver, visit: Visit | None, elder: str, how: str
) -> Visit | None:
    quantity = told.quantity if told.quantity is not None else hold.quantity
    if not 0 < quantity <= hold.quantity:
        raise CannotReport("too_many")
    if visit is None and is_at_door(hold):
        visit = _begin(hold, caregiver, told.happened_at, left_at=told.happened_at)
    else:
        visit = _ending(visit, told)
    visit.quantity = quantity
    _end(visit)
    return visit


def _absent(
    told: Told, hold: Hold, caregiver: Caregiver, visit: Visit | None, elder: str, how: str
) -> Visit | None:
    if visit is None and is_at_door(hold):
        return None
    visit = _ending(visit, told)
    _end(visit)
    return visit


def _ending(visit: Visit | None, told: Told) -> Visit:
    if visit is not None and visit.left_at is not None:
        raise CannotReport("left_before")
    visit = _there(visit, told)
    visit.left_at = told.happened_at
    return visit


def _end(visit: Visit) -> None:
    """One that was left later than the next began would overlap it."""
    _one_at_a_time(visit.caregiver_id)
    try:
        with transaction.atomic():
            visit.save(update_fields=["left_at", "quantity"])
    except IntegrityError as error:
        if "visits_of_one_caregiver_never_overlap" not in str(error):
            raise
        raise CannotReport("overlaps") from None


def _call(
    told: Told, hold: Hold, caregiver: Caregiver, visit: Visit | None, elder: str, how: str
) -> Visit | None:
    if visit is None or visit.left_at is None or not waits_for_word(visit):
        raise CannotReport("not_waiting")
    return visit


CHECKS = {
    Kind.ARRIVED: _arrived,
    Kind.PHOTO: _photo,
    Kind.CONFIRMED: _confirmed,
    Kind.LEFT: _left,
    Kind.ABSENT: _absent,
    Kind.DENIED: _call,
    Kind.UNREACHED: _call,
}


def _write(
    told: Told,
    hold: Hold,
    caregiver: Caregiver,
    *,
    how: str = "",
    refusal: str = "",
    by: Any,
    at: datetime,
    placeless: bool = False,
) -> VisitReport:
    spot = None if placeless or told.kind != Kind.ARRIVED else told.spot
    return VisitReport.objects.create(
        scope=told.scope,
        key=told.key,
        request=told.digest(hold),
        hold=hold,
        caregiver=caregiver,
        kind=told.kind,
        happened_at=told.happened_at,
        recorded_at=at,
        by=name_of(by),
        how=how,
        quantity=told.quantity,
        longitude=None if spot is None else round(spot.longitude, 6),
        latitude=None if spot is None else round(spot.latitude, 6),
        accuracy_m=None if spot is None else spot.accuracy_m,
        refusal=refusal,
        photo=keep(photo=told.picture, by=by, at=at) if told.picture and not refusal else None,
    )
