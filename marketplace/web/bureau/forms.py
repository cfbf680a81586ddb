"""The filters of a month, read from the address (what does not fit filters nothing), and the desk's questions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from marketplace.web.forms import Marked
from providers.models import Division, Lease


def street_and_above(division: Division | None) -> list[Division]:
    """A division and those above it, lowest first, without communities and the city itself."""
    found = []
    while division is not None:
        if division.level in (Division.Level.STREET, Division.Level.DISTRICT):
            found.append(division)
        division = division.parent
    return found


@dataclass(frozen=True)
class MonthFilter:
    """state, operator, division: codes; q: part of a lease's code, a premises' or an operator's name."""

    q: str = ""
    state: str = ""
    operator: str = ""
    division: str = ""
    review: bool = False
    objected: bool = False

    @classmethod
    def of(cls, get: QueryDict) -> "MonthFilter":
        return cls(
            q=get.get("q", "").strip()[:60],
            state=get.get("state", ""),
            operator=get.get("operator", ""),
            division=get.get("division", ""),
            review=get.get("review") == "1",
            objected=get.get("objected") == "1",
        )

    def __bool__(self) -> bool:
        return any((self.q, self.state, self.operator, self.division, self.review, self.objected))

    def keeps(self, row: Any, divisions: Mapping[int, list[tuple[str, str]]]) -> bool:
        """`row`: see marketplace/web/listed.py; `divisions`: streets and districts of each division."""
        if self.state and row.state != self.state:
            return False
        if self.operator and row.operator_code != self.operator:
            return False
        if self.review and not row.under_review:
            return False
        if self.objected and not row.objected:
            return False
        if self.division and self.division not in dict(divisions[row.division]):
            return False
        if self.q:
            words = f"{row.code} {row.premises} {row.operator} {row.operator_code}".casefold()
            return all(part in words for part in self.q.casefold().split())
        return True


class ReasonForm(Marked):
    """Why something is decided: kept with the decision."""

    reason = forms.CharField(
        label=_("Why?"),
        help_text=_("Your reason stands with the decision and in the audit."),
        min_length=4,
        max_length=200,
        error_messages={
            "required": _("Say why"),
            "min_length": _("Say a little more: at least four characters"),
        },
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )


class MatchForm(Marked):
    """The leases that a bank line pays, each with its amount; the first amount is the whole line at the start.

    As many places as are sent back; `holding` gives it more, with what was told so far.
    """

    PLACES, MOST = 4, 200

    def __init__(self, *args: Any, amount: Decimal, places: int = PLACES, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            places = len(self.rows_of(self.data))
        self.places = range(min(max(places, self.PLACES), self.MOST))
        for n in self.places:
            self.fields[f"lease_{n}"] = forms.CharField(
                label=_("Lease %(number)s") % {"number": n + 1},
                required=n == 0,
                max_length=12,
                error_messages={"required": _("Name the lease that this money pays")},
                widget=forms.TextInput(
                    attrs={"class": "form-control", "list": "leases", "autocomplete": "off"}
                ),
            )
            self.fields[f"amount_{n}"] = forms.DecimalField(
                label=_("Amount %(number)s in yuan") % {"number": n + 1},
                required=n == 0,
                min_value=Decimal("0.01"),
                max_digits=16,
                decimal_places=2,
                initial=amount if n == 0 else None,
                error_messages={
                    "required": _("Say how much of it"),
                    "invalid": _("Write the amount as 1234.50"),
                },
                widget=forms.TextInput(attrs={"class": "form-control", "inputmode": "decimal"}),
            )

    @classmethod
    def rows_of(cls, data: Mapping[str, Any]) -> list[tuple[str, str]]:
        """The codes and amounts as they were typed, place by place."""
        count = next((n for n in range(cls.MOST) if f"lease_{n}" not in data), cls.MOST)
        return [(data[f"lease_{n}"][:12], data.get(f"amount_{n}", "")[:20]) for n in range(count)]

    @classmethod
    def holding(cls, rows: Sequence[tuple[str, str]], *, amount: Decimal, places: int = 0) -> Self:
        """The question once more with these codes and amounts in it; nothing is judged yet."""
        initial = {f"lease_{n}": code for n, (code, _amount) in enumerate(rows)}
        initial |= {f"amount_{n}": told for n, (_code, told) in enumerate(rows)}
        return cls(amount=amount, initial=initial, places=max(places, len(rows)))

    @property
    def pairs(self) -> list[tuple[Any, Any]]:
        return [(self[f"lease_{n}"], self[f"amount_{n}"]) for n in self.places]

    @property
    def full(self) -> bool:
        return len(self.places) >= self.MOST

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.parts: list[tuple[Lease, Decimal]] = []
        for n in self.places:
            code, amount = (data.get(f"lease_{n}") or "").strip().upper(), data.get(f"amount_{n}")
            if not code:
                if n and amount is not None:
                    self.add_error(f"lease_{n}", _("Name the lease that this money pays"))
                continue
            lease = Lease.objects.filter(code=code).first()
            if lease is None:
                self.add_error(f"lease_{n}", _("There is no lease with this code"))
            elif amount is None:
                if f"amount_{n}" not in self.errors:
                    self.add_error(f"amount_{n}", _("Say how much of it"))
            else:
                self.parts.append((lease, amount))
        return data


class DonationForm(Marked):
    """Who gave, and what for."""

    donor = forms.CharField(
        label=_("Donor"),
        help_text=_("Leave it empty for somebody who does not want to be named."),
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    wish = forms.CharField(
        label=_("Purpose"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
