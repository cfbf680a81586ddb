"""Forms of leases: a new one, new terms, another end, another operator."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ledger.files.table import Row
from marketplace.web.registers.entry import EntryForm, day, number, pick, text
from marketplace.web.registers.words import FIELDS
from providers.leases.schedule import Stretch, TermsRow, rent_schedule
from providers.models import Lease, LeaseTerms, Operator, Premises
from vouchers.city.entry import digest
from vouchers.city.tenancy import read_terms

TERMS_HINTS = {
    "offset_rate": gettext_lazy("What a yuan of vouchers earns: 0.8 is 0.80 yuan of rent"),
    "offset_cap": gettext_lazy("0.5: at most half of the rent is offset"),
}


def terms_of(row: Row) -> TermsRow:
    return TermsRow(
        row["starts_on"], row["monthly_rent"], row["rent_free_until"], row["offset_rate"], row["offset_cap"],
        row["carry_months"],
    )  # fmt: skip


def dated(terms: LeaseTerms) -> TermsRow:
    return TermsRow(
        terms.starts_on, terms.monthly_rent, terms.rent_free_until, terms.offset_rate, terms.offset_cap,
        terms.carry_months,
    )  # fmt: skip


def sums(stretches: list[Stretch]) -> dict[str, Any]:
    """How many months a schedule has, and what they charge and may offset in all, in yuan."""
    found: dict[str, Any] = {"months": sum(one.months for one in stretches)}
    for name in ("charge", "cap", "cash"):
        found[name] = sum((getattr(one, name) * one.months for one in stretches), Decimal(0))
    return found


class Previewed(EntryForm):
    """A form whose outcome is shown before it counts; what counts is what was shown."""

    shown = forms.CharField(required=False, widget=forms.HiddenInput(attrs={"id": False}))

    @property
    def visible(self) -> list[Any]:
        return [self[name] for name in self.fields if name not in ("seen", "shown")]

    @property
    def row(self) -> dict[str, str]:
        return {name: value for name, value in super().row.items() if name != "shown"}

    @property
    def was_shown(self) -> bool:
        """Whether just this was previewed."""
        return bool(self.cleaned_data.get("shown")) and self.cleaned_data["shown"] == digest(self.row)

    def show(self) -> None:
        """From now on, this is what was shown."""
        data = self.data.copy()  # type: ignore[attr-defined]
        data[self.add_prefix("shown")] = digest(self.row)
        self.data = data


class _Terms(Previewed):
    monthly_rent = number(FIELDS["monthly_rent"])
    rent_free_until = day(FIELDS["rent_free_until"], hint=gettext_lazy("This day is free, too."))
    offset_rate = number(FIELDS["offset_rate"], hint=TERMS_HINTS["offset_rate"])
    offset_cap = number(FIELDS["offset_cap"], hint=TERMS_HINTS["offset_cap"])
    carry_months = number(FIELDS["carry_months"])


class _Parties(_Terms):
    """What makes another lease, whoever had the premises before."""

    code = text(FIELDS["code"], hint=gettext_lazy("A capital letter, then capital letters or digits: LS0012"))
    operator = pick(FIELDS["operator"])
    ends_on = day(FIELDS["ends_on"])
    basis = pick(
        FIELDS["basis"], Lease.Basis.choices,
        hint=gettext_lazy("Without basis and decision number no certificate is issued."),
    )  # fmt: skip
    decision_no = text(FIELDS["decision_no"], longest=60)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["operator"].widget.choices = [  # type: ignore[attr-defined]
            ("", "—"),
            *((one.code, f"{one.code} {one.name}") for one in Operator.objects.order_by("code")),
        ]

    def schedule(self, *, starts_on: date) -> list[Stretch]:
        """What the lease would charge; the form is valid and its row was checked."""
        row = self.row
        terms = read_terms({**row, "starts_on": starts_on.isoformat()})
        return rent_schedule(
            starts_on=starts_on, ends_on=date.fromisoformat(row["ends_on"]), terms=[terms_of(terms)]
        )


class LeaseForm(_Parties):
    register = "leases"
    premises = pick(FIELDS["premises"])
    starts_on = day(FIELDS["starts_on"])
    field_order = [
        "premises", "operator", "code", "starts_on", "ends_on", "monthly_rent", "rent_free_until", "offset_rate",
        "offset_cap", "carry_months", "basis", "decision_no",
    ]  # fmt: skip

    def __init__(self, *args: Any, premises: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["premises"].widget.choices = [  # type: ignore[attr-defined]
            ("", "—"),
            *((one.code, f"{one.code} {one.name}") for one in premises),
        ]
        self._offered = {one.code for one in premises}

    def clean_premises(self) -> str:
        code = str(self.cleaned_data["premises"])
        return code if code in self._offered else ""

    @property
    def plan(self) -> list[Stretch]:
        return self.schedule(starts_on=date.fromisoformat(self.row["starts_on"]))


class OperatorChangeForm(_Parties):
    register = "leases"
    last_day = day(gettext_lazy("Last day of the lease that runs"))
    field_order = [
        "last_day", "operator", "code", "ends_on", "monthly_rent", "rent_free_until", "offset_rate", "offset_cap",
        "carry_months", "basis", "decision_no",
    ]  # fmt: skip

    def clean_last_day(self) -> str:
        return a_day(self.cleaned_data["last_day"])

    @property
    def until(self) -> date:
        return date.fromisoformat(self.cleaned_data["last_day"])

    @property
    def new_row(self) -> dict[str, str]:
        """The new lease, without what follows from the old one."""
        return {name: value for name, value in self.row.items() if name != "last_day"}

    @property
    def plan(self) -> list[Stretch]:
        return self.schedule(starts_on=self.until + timedelta(days=1))


class TermsForm(_Terms):
    """New terms from a day on; what they were stands in the fields at first."""

    starts_on = day(gettext_lazy("These terms from"), hint=gettext_lazy("The first of a month that is open."))
    field_order = ["starts_on"]

    def plan(self, lease: Lease) -> list[Stretch]:
        new = terms_of(read_terms(self.row))
        before = [dated(one) for one in lease.terms.all() if one.starts_on < new.starts_on]
        after = [dated(one) for one in lease.terms.all() if one.starts_on > new.starts_on]
        rows = sorted([*before, new, *after], key=lambda one: one.starts_on)
        return rent_schedule(starts_on=lease.starts_on, ends_on=lease.ends_on, terms=rows)


class EndForm(Previewed):
    ends_on = day(FIELDS["ends_on"])

    def clean_ends_on(self) -> str:
        return a_day(self.cleaned_data["ends_on"])

    @property
    def until(self) -> date:
        return date.fromisoformat(self.cleaned_data["ends_on"])


class DecisionForm(EntryForm):
    """What a lease still lacks for its certificates."""

    register = "leases"
    basis = pick(FIELDS["basis"], Lease.Basis.choices)
    decision_no = text(FIELDS["decision_no"], longest=60)


def a_day(typed: Any) -> str:
    try:
        return date.fromisoformat(str(typed)).isoformat()
    except ValueError:
        raise forms.ValidationError(_("Name a day as 2026-08-31.")) from None


def leasable(seen: Any) -> list[Premises]:
    """The premises that may be leased, of those seen."""
    return list(seen.exclude(stage=Premises.Stage.RETIRED).order_by("code"))
