"""Adding photos of premises, and withdrawing a wrong one."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, ClassVar

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import name_of, record
from ledger.journal.queries import day_of
from ledger.refusals import Refusal
from marketplace.registers.models import PhotoWithdrawal, PremisesPhoto
from providers.models import Premises
from vouchers.photos.cleaning import Clean
from vouchers.photos.operations import keep


class PhotoOfTomorrow(Exception):
    """A photo shows what was: its day cannot lie ahead. Nothing is kept."""

    def __str__(self) -> str:
        return str(_("The day of a photo cannot lie ahead."))


@transaction.atomic
def add_photos(
    *,
    premises: Premises,
    photos: Sequence[Clean],
    taken_on: date,
    caption: str = "",
    by: Any,
    at: datetime,
) -> list[PremisesPhoto]:
    """This function will keep photos of premises, sealed. Raises PhotoOfTomorrow."""
    if taken_on > day_of(at):
        raise PhotoOfTomorrow
    added = [
        PremisesPhoto.objects.create(
            premises=premises, photo=keep(photo=one, by=by, at=at), taken_on=taken_on, caption=caption
        )
        for one in photos
    ]
    detail = {"photos": ["", str(len(added))], "taken_on": ["", taken_on.isoformat()]}
    record(by=by, at=at, action="add_photos", subject=premises.code, detail=detail)
    return added


class CannotWithdraw(Refusal):
    """A photo cannot be withdrawn; nothing is written."""

    sentences: ClassVar = {
        "withdrawn": _("This photo was withdrawn before."),
        "no_reason": _("Say why it should not stand there."),
    }


@transaction.atomic
def withdraw_photo(*, photo: PremisesPhoto, reason: str, by: Any, at: datetime) -> PhotoWithdrawal:
    """This function will take a wrong photo of premises out of sight; that it was there stays, with the reason.

    Raises CannotWithdraw.
    """
    reason = reason.strip()[:200]
    if not reason:
        raise CannotWithdraw("no_reason")
    withdrawal, made = PhotoWithdrawal.objects.get_or_create(
        photo=photo, defaults={"reason": reason, "by": name_of(by), "at": at}
    )
    if not made:
        raise CannotWithdraw("withdrawn")
    detail = {"taken_on": [photo.taken_on.isoformat(), ""], "reason": ["", reason]}
    record(by=by, at=at, action="withdraw_photo", subject=photo.premises.code, detail=detail)
    return withdrawal
