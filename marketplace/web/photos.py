"""Photos on pages: the field that takes them, and the answer that shows one to whoever may see it."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from marketplace.web.forms import Files
from vouchers.models import Photo
from vouchers.photos.cleaning import MOST_BYTES, CannotTake, Clean, clean

SMALL_SIDE, SMALL_BYTES = 640, 45_000  # of a picture on a page of elders: with all else at most 150 KB


class PhotosField(forms.FileField):
    """One to `most` photos; a telephone offers its camera. `cleaned_data` is a list of what was cleaned (Clean).

    Each wrong one is named. `small`: kept as it is shown on a telephone, not as evidence.
    """

    def __init__(self, *, most: int = 8, small: bool = False, **options: Any) -> None:
        self.most = most
        self.sizes: dict[str, int] = {"side": SMALL_SIDE, "most": SMALL_BYTES} if small else {}
        options.setdefault("label", _("Photos"))
        options.setdefault("error_messages", {"required": _("Add a photo at least")})
        options.setdefault("widget", Files(attrs={"class": "form-control", "accept": "image/*"}))
        super().__init__(**options)

    def clean(self, data: Any, initial: Any = None) -> list[Clean]:
        files = [one for one in data or [] if one]
        if not files:
            if self.required:
                raise forms.ValidationError(self.error_messages["required"], code="required")
            return []
        if len(files) > self.most:
            raise forms.ValidationError(_("At most %(most)s photos at once.") % {"most": self.most})
        taken, wrong = [], []
        for file in files:
            try:
                if file.size > MOST_BYTES:
                    raise CannotTake("photo_too_large")
                taken.append(clean(file.read(), **self.sizes))
            except CannotTake as refusal:
                wrong.append(f"{file.name}: {refusal}")
        if wrong:
            raise forms.ValidationError(wrong)
        return taken


def shown(photo: Photo, *, cache: str = "private, no-store") -> HttpResponse:
    """The picture itself, for the eyes of whom the page is for."""
    return HttpResponse(
        photo.picture(),
        content_type="image/jpeg",
        headers={"Content-Disposition": "inline", "Cache-Control": cache},
    )
