"""Adding photos of premises."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.journal.queries import day_of
from marketplace.registers.models import PremisesPhoto
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
