"""The questions of these pages: why a name is revealed, what is wrong with a statement, what is answered."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from marketplace.web.forms import Marked
from marketplace.web.trace.figures import FIGURES
from vouchers.models import Objection

# What an operator may object to: the figures that have lines behind them.
OBJECTED = ("earned", "late", "reversed", "charge", "carry_in", "lapsed", "under_review")


class RevealForm(Marked):
    reason = forms.CharField(
        label=_("Why do you need the name?"),
        help_text=_("Your reason, your account and the time are recorded."),
        min_length=4,
        max_length=200,
        error_messages={
            "required": _("Say why you need the name"),
            "min_length": _("Say a little more: at least four characters"),
        },
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )


class ReversalForm(Marked):
    reason = forms.CharField(
        label=_("Why is it reversed?"),
        help_text=_(
            "Such as the wrong elder, the service refused. It stands with the reversal; name nobody."
        ),
        min_length=4,
        max_length=200,
        error_messages={
            "required": _("Say why, in a sentence"),
            "min_length": _("Say a little more: at least four characters"),
        },
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )


class ObjectionForm(Marked):
    """What is wrong with which figure, or with which redemption of it."""

    figure = forms.ChoiceField(label=_("What is wrong?"), widget=forms.Select(attrs={"class": "form-select"}))
    redemption = forms.RegexField(
        r"^\s*[Rr][Dd]-\d{9,18}\s*$",
        label=_("Redemption, if it is about a single one"),
        help_text=_("Its number, such as RD-000000123; leave it empty for the whole figure."),
        required=False,
        error_messages={"invalid": _("Write the number as it stands on the line: RD- and nine digits")},
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    text = forms.CharField(
        label=_("What should it be, and why?"),
        min_length=4,
        max_length=500,
        error_messages={
            "required": _("Say what is wrong"),
            "min_length": _("Say a little more: at least four characters"),
        },
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(name, FIGURES[name].label) for name in OBJECTED]
        self.fields["figure"].choices = choices  # type: ignore[attr-defined]

    def clean_redemption(self) -> str:
        return str(self.cleaned_data["redemption"]).strip().upper()


class AnswerForm(Marked):
    """The bureau's answer to one objection."""

    answer = forms.ChoiceField(
        label=_("Answer"),
        choices=Objection.Answer.choices,
        widget=forms.Select(
            choices=[c for c in Objection.Answer.choices if c[0] != "withdrawn"],
            attrs={"class": "form-select"},
        ),
    )
    reply = forms.CharField(
        label=_("Reason, for the operator to read"),
        max_length=500,
        error_messages={"required": _("Give the operator a reason")},
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
