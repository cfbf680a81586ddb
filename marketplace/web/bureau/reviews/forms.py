"""What people say when they decide: reasons, parameters, results of calls."""

import secrets
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ledger.journal.queries import next_month
from ledger.models import Head
from marketplace.templatetags.yiquan import month_name
from marketplace.web.forms import Marked
from vouchers.models import CallBack
from vouchers.review.catalogue import Rule
from vouchers.review.parameters import Terms

CONTROL = {"class": "form-control", "autocomplete": "off"}


def reason_field(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        min_length=4,
        max_length=500,
        error_messages={
            "required": _("Say why, in a sentence"),
            "min_length": _("Say a little more: at least four characters"),
        },
        widget=forms.Textarea(attrs={**CONTROL, "rows": 3}),
    )


class DecisionForm(Marked):
    reason = reason_field(_("Why do you decide so?"))


class RuleForm(Marked):
    """One rule's parameters from a month on; the fields follow the rule."""

    def __init__(self, *args: Any, terms: Terms, first: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        months = [first]
        while len(months) < 6:
            months.append(next_month(months[-1]))
        self.rule: Rule = terms.rule
        self.fields["valid_from"] = forms.ChoiceField(
            label=_("For services from"),
            choices=[(f"{month:%Y-%m-%d}", month_name(month)) for month in months],
            widget=forms.Select(attrs={"class": "form-select"}),
        )
        self.fields["mode"] = forms.ChoiceField(
            label=_("What it does with a finding"),
            choices=[("hold", _("holds back")), ("mark", _("marks")), ("rest", _("rests"))],
            initial="rest" if not terms.active else "hold" if terms.holds else "mark",
            widget=forms.Select(attrs={"class": "form-select"}),
        )
        for one in terms.rule.parameters:
            self.fields[one.name] = forms.IntegerField(
                label=str(one.label),
                min_value=one.least,
                max_value=one.most,
                initial=terms.values[one.name],
                help_text=_("%(least)s to %(most)s") % {"least": one.least, "most": one.most},
                widget=forms.NumberInput(attrs=CONTROL),
            )
        self.fields["reason"] = reason_field(_("Why do the parameters change?"))

    @property
    def month(self) -> date:
        return date.fromisoformat(self.cleaned_data["valid_from"])

    @property
    def values(self) -> dict[str, int]:
        return {one.name: self.cleaned_data[one.name] for one in self.rule.parameters}


def month_field() -> forms.ChoiceField:
    return forms.ChoiceField(label=_("Month of service"), widget=forms.Select(attrs={"class": "form-select"}))


def months_to_choose(months: list[date]) -> list[tuple[str, str]]:
    return [(f"{month:%Y-%m-%d}", month_name(month)) for month in months]


class RunForm(Marked):
    """A month that a rule is to look at again."""

    month = month_field()

    def __init__(self, *args: Any, months: list[date], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["month"].choices = months_to_choose(months)  # type: ignore[attr-defined]


class DrawForm(Marked):
    month = month_field()
    confidence = forms.TypedChoiceField(
        label=_("Confidence"),
        coerce=Decimal,
        choices=[("0.90", "90%"), ("0.95", "95%"), ("0.99", "99%")],
        initial="0.95",
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    margin = forms.TypedChoiceField(
        label=_("Margin"),
        coerce=Decimal,
        choices=[("0.03", "± 3%"), ("0.05", "± 5%"), ("0.10", "± 10%"), ("0.20", "± 20%")],
        initial="0.10",
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    seed = forms.CharField(
        label=_("Seed"),
        help_text=_(
            "Whoever knows it can make the draw again. Leave the published end of the seals' chain: then nobody chose "
            "whom it draws. Another one is noted as chosen by hand."
        ),
        min_length=6,
        max_length=64,
        widget=forms.TextInput(attrs=CONTROL),
    )

    def __init__(self, *args: Any, months: list[date], head: Head | None, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"seed": head.hash if head else secrets.token_hex(8)})
        super().__init__(*args, **kwargs)
        self.fields["month"].choices = months_to_choose(months)  # type: ignore[attr-defined]


class ResultForm(Marked):
    result = forms.ChoiceField(
        label=_("What did the elder say?"),
        choices=CallBack.Result.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what the elder said")},
    )
    note = forms.CharField(
        label=_("Note"),
        help_text=_("Nothing that names anybody."),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={**CONTROL, "rows": 2}),
    )

    @property
    def first_field_id(self) -> str:
        return "id_result_0"
