"""The bureau's words and pictures: of a service in the catalogue, of a house."""

from datetime import datetime
from typing import Any

from django.db import transaction

from ledger.audit.operations import record
from marketplace.offerings.models import Listing, Story
from providers.models import Premises
from vouchers.photos.cleaning import Clean
from vouchers.photos.operations import keep


@transaction.atomic
def describe_service(*, listing: Listing, words: str, drawing: str, by: Any, at: datetime) -> Listing:
    """This function will set what elders read and see of a service. The same again changes nothing."""
    row = Listing.objects.select_for_update(of=["self"]).select_related("service").get(pk=listing.pk)
    if (row.words, row.drawing) != (words, drawing):
        row.words, row.drawing = words, drawing
        row.save(update_fields=["words", "drawing"])
        detail = {"words": words, "drawing": drawing}
        record(by=by, at=at, action="describe_service", subject=row.service.code, detail=detail)
    return row


@transaction.atomic
def picture_service(*, listing: Listing, photo: Clean | None, shows: str, by: Any, at: datetime) -> Listing:
    """This function will show a photo of the operators' own with a service, or none: then its drawing stands again.

    `shows`: the photo in words. Without a new photo the words of the one that is there change.
    """
    row = Listing.objects.select_for_update(of=["self"]).select_related("service").get(pk=listing.pk)
    if photo is not None:
        row.photo = keep(photo=photo, by=by, at=at)
    if not shows:
        row.photo = None
    row.photo_shows = shows if row.photo is not None else ""
    row.save(update_fields=["photo", "photo_shows"])
    detail = {"photo": str(row.photo.number) if row.photo else "", "shows": row.photo_shows}
    record(by=by, at=at, action="picture_service", subject=row.service.code, detail=detail)
    return row


@transaction.atomic
def describe_house(*, premises: Premises, words: str, by: Any, at: datetime) -> None:
    """This function will set the story of a house; no words, no story. The same again changes nothing."""
    Premises.objects.select_for_update(no_key=True).get(pk=premises.pk)
    before = Story.objects.filter(premises=premises).first()
    if (before.words if before else "") == words:
        return
    if words:
        Story.objects.update_or_create(premises=premises, defaults={"words": words})
    else:
        Story.objects.filter(premises=premises).delete()
    record(by=by, at=at, action="describe_house", subject=premises.code, detail={"words": words})
