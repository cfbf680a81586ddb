"""What a caregiver's phone sends, read into what is told (vouchers/visits/operations.py: Told)."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.models import Caregiver
from vouchers.codes import token
from vouchers.photos.cleaning import MOST_BYTES, CannotTake, clean
from vouchers.visits.operations import Kind, Spot, Told, scope_of

TELLS = [Kind.ARRIVED, Kind.PHOTO, Kind.CONFIRMED, Kind.LEFT, Kind.ABSENT]
"""What a caregiver may tell; the rest is the elder's to say."""


class ReportForm(forms.Form):
    """One report. `happened_at` is given by a phone that tells later; without it, it is now."""

    kind = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in TELLS])
    key = forms.RegexField(r"^[A-Za-z0-9-]{8,60}$")
    happened_at = forms.DateTimeField(required=False)
    code = forms.CharField(required=False, max_length=200, strip=False)
    pin = forms.CharField(required=False, max_length=20)
    quantity = forms.IntegerField(required=False, min_value=1, max_value=99)
    longitude = forms.FloatField(required=False, min_value=-180, max_value=180)
    latitude = forms.FloatField(required=False, min_value=-90, max_value=90)
    accuracy_m = forms.FloatField(required=False, min_value=0, max_value=10_000_000)
    photo = forms.FileField(required=False)

    def clean_photo(self) -> Any:
        file = self.cleaned_data["photo"]
        if not isinstance(file, UploadedFile):
            return None
        try:
            if (file.size or 0) > MOST_BYTES:
                raise CannotTake("photo_too_large")
            return clean(file.read())
        except CannotTake as refusal:
            raise forms.ValidationError(str(refusal), code=refusal.code) from None

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if told.get("kind") == Kind.PHOTO and not told.get("photo") and "photo" not in self.errors:
            self.add_error(
                "photo", forms.ValidationError(_("Choose or take a photo first."), code="photo_missing")
            )
        if told.get("kind") == Kind.CONFIRMED and not told.get("code", "").strip():
            self.add_error(
                "code",
                forms.ValidationError(
                    _("Scan the elder's code, or type its twelve digits."), code="code_missing"
                ),
            )
        return told

    def told(self, caregiver: Caregiver, *, at: datetime) -> Told:
        what = self.cleaned_data
        place = None
        if what["kind"] == Kind.ARRIVED and what["longitude"] is not None and what["latitude"] is not None:
            accuracy = what["accuracy_m"]
            place = Spot(what["longitude"], what["latitude"], None if accuracy is None else round(accuracy))
        happened_at = what["happened_at"] or at
        if timezone.is_naive(happened_at):
            happened_at = timezone.make_aware(happened_at)
        return Told(
            scope=scope_of(caregiver),
            key=what["key"],
            kind=what["kind"],
            happened_at=happened_at,
            credential=self._credential() if what["kind"] == Kind.CONFIRMED else {},
            quantity=what["quantity"] if what["kind"] == Kind.LEFT else None,
            spot=place,
            picture=what["photo"] if what["kind"] == Kind.PHOTO else None,
        )

    def _credential(self) -> dict[str, str]:
        """A code that changes is shown alone; whatever is printed or typed goes with the PIN."""
        shown, pin = self.cleaned_data["code"], self.cleaned_data["pin"].strip()
        if token.looks_like_one(shown.strip()):
            return {"code": shown, "pin": pin} if pin else {"token": shown}
        return {"code": shown.strip().upper(), "pin": pin}
