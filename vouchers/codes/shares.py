"""幸福码: what an elder has received in a year, shown to family while the elder agrees."""

import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from ledger.audit.operations import record
from vouchers.codes.models import RecordShare
from vouchers.elders.models import Elder

LASTS = timedelta(hours=24)


class CannotOpenRecord(Exception):
    """The code was ended by the elder, is over, or never was; which of these is nobody's business."""

    code = "share_closed"

    def __str__(self) -> str:
        return _("This code is closed. Ask the elder for a new one.")


def share_record(*, elder: Elder, year: int, by: Any, at: datetime) -> RecordShare:
    """This function will open the elder's list of one year to whoever has the new code, for a day.

    The codes before it end.
    """
    with transaction.atomic():
        Elder.objects.select_for_update(no_key=True).get(id=elder.id)
        RecordShare.objects.filter(elder=elder, ended_at=None).update(ended_at=at)
        share = RecordShare.objects.create(
            elder=elder, year=year, code=secrets.token_urlsafe(16), shared_at=at, lasts_until=at + LASTS
        )
        record(by=by, at=at, action="share_record", subject=elder.code, detail={"year": year})
    return share


def current_share(*, elder: Elder, at: datetime) -> RecordShare | None:
    return RecordShare.objects.filter(elder=elder, ended_at=None, lasts_until__gt=at).first()


def end_share(*, elder: Elder, by: Any, at: datetime) -> bool:
    """This function will close the elder's list at once. Answers whether it was open."""
    with transaction.atomic():
        ended = RecordShare.objects.filter(elder=elder, ended_at=None).update(ended_at=at)
        if ended:
            record(by=by, at=at, action="end_share", subject=elder.code)
    return bool(ended)


def find_share(*, code: str, at: datetime) -> RecordShare:
    """The share that this code opens. Raises CannotOpenRecord."""
    open_ = RecordShare.objects.filter(code=code, ended_at=None, lasts_until__gt=at)
    share = open_.select_related("elder").first()
    if share is None:
        raise CannotOpenRecord
    return share


def open_record(*, code: str, by: Any, at: datetime) -> RecordShare:
    """This function will open a list by its code, and count it for the elder to see. Raises CannotOpenRecord."""
    with transaction.atomic():
        share = find_share(code=code, at=at)
        RecordShare.objects.filter(id=share.id).update(opened=F("opened") + 1, opened_at=at)
        record(by=by, at=at, action="open_record", subject=share.elder.code, detail={"year": share.year})
    return share
