"""Keeping photos. The caller ties them to what they show, in the same transaction."""

import hashlib
import uuid
from datetime import datetime
from typing import Any

from ledger.audit.operations import name_of
from vouchers.elders import sealing
from vouchers.photos.cleaning import Clean
from vouchers.photos.models import Photo


def keep(*, photo: Clean, by: Any, at: datetime) -> Photo:
    """This function will keep a photo that was cleaned (cleaning.py: clean), sealed.

    Clean before the transaction: that takes time, and nothing should wait for it.
    """
    number = uuid.uuid4()
    return Photo.objects.create(
        number=number,
        sealed=sealing.seal_bytes(photo.data, field="photo", row=str(number)),
        sha256=hashlib.sha256(photo.data).hexdigest(),
        width=photo.width,
        height=photo.height,
        kept_at=at,
        by=name_of(by),
    )
