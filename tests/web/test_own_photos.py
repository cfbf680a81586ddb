"""A photo of the operators' own in the market: the clerk sets it, elders see it with its words, nothing of a place is kept."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from ledger.audit.models import Record
from marketplace.offerings.operations import publish
from marketplace.web.photos import SMALL_BYTES, SMALL_SIDE
from tests.vouchers.test_photos import WHERE, photo


def sent(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("lunch.jpg", data, "image/jpeg")


def test_the_clerk_sets_a_photo_and_elders_see_it_until_the_drawing_stands_again(as_, city):
    publish(on=timezone.localdate(), by="night", at=timezone.now())
    listing, clerk, elder = city.pictured, as_("clerk"), as_("elder")
    page = reverse("bureau:catalogue_service", args=["SV01"])
    service = reverse("market:service", args=["PR0000", "SV01"])
    before = reverse("market:picture", args=[listing.photo.number])
    assert before in elder.get(service).content.decode() and elder.get(before).status_code == 200

    wrong = clerk.post(page, {"do": "photo", "photos": sent(b"no photo"), "shows": ""}).content.decode()
    assert "This is not a photo that can be read" in wrong and "Say what the photo shows" in wrong
    form = {"do": "photo", "photos": sent(photo(3000, 2000)), "shows": "红烧豆腐和米饭"}
    assert clerk.post(page, form).url == page
    listing.refresh_from_db()
    after = reverse("market:picture", args=[listing.photo.number])
    shown = elder.get(service).content.decode()
    assert after in shown and 'alt="红烧豆腐和米饭"' in shown and "scenes.svg" not in shown
    answer = elder.get(after)
    assert answer["Content-Type"] == "image/jpeg" and "private" in answer["Cache-Control"]
    assert WHERE not in answer.content and len(answer.content) <= SMALL_BYTES
    with Image.open(BytesIO(answer.content)) as image:
        assert image.size == (SMALL_SIDE, 427) and not image.getexif()
    assert elder.get(before).status_code == 404  # a photo that stands nowhere is nobody's to see
    assert elder.get(reverse("market:picture", args=[city.photos[0].photo.number])).status_code == 404

    clerk.post(page, {"do": "photo", "shows": "豆腐和米饭"})  # only the words
    assert 'alt="豆腐和米饭"' in elder.get(service).content.decode()
    clerk.post(page, {"do": "no_photo"})
    assert "scenes.svg" in elder.get(service).content.decode() and elder.get(after).status_code == 404
    assert "Add a photo at least" in clerk.post(page, {"do": "photo", "shows": "x"}).content.decode()
    told = Record.objects.filter(action="picture_service", subject="SV01")
    assert [row.detail["shows"] for row in told.order_by("id")] == ["红烧豆腐和米饭", "豆腐和米饭", ""]


def test_nobody_else_sets_it_and_no_photo_stands_without_words(as_, city):
    page = reverse("bureau:catalogue_service", args=["SV01"])
    for person in ("approver", "auditor", "manager", "elder"):
        answer = as_(person).post(page, {"do": "photo", "photos": sent(photo()), "shows": "x"})
        assert answer.status_code == 403, person
    assert not Record.objects.filter(action="picture_service").exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        type(city.pictured).objects.filter(pk=city.pictured.pk).update(photo_shows="")
