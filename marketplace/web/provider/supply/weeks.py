"""Forms of what repeats every week: hours of a house or a person, sittings of a service; and from which day on."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from typing import Any

from django import forms
from django.utils.functional import cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from marketplace.templatetags.yiquan import full_day
from marketplace.web.forms import Marked, dress
from providers.ordering.models import Weekday
from providers.ordering.operations import Places

PERIODS = 2
"""Of one day: before noon and after."""
SPARE = 2
"""Empty lines for sittings that are to come; saved, there are two more."""
MOST_SITTINGS = 12
MOST_PLACES = 999


def day_field(label: Any, help_text: Any = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=help_text,
        error_messages={
            "required": gettext_lazy("Choose a day"),
            "invalid": gettext_lazy("Write the day as 2026-07-01"),
        },
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )


def time_field(label: Any) -> forms.TimeField:
    widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    wrong = {"invalid": gettext_lazy("Write the time as 08:30")}
    return forms.TimeField(label=label, required=False, error_messages=wrong, widget=widget)


def number_field(label: Any, most: int, *, required: bool = True) -> forms.IntegerField:
    said = format_lazy(gettext_lazy("Write a whole number from 1 to {most}"), most=str(most))
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=most,
        required=required,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), said),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "size": 4}),
    )


class FromADay(Marked):
    """`first`: the earliest day from which something else may hold. Days before stand as they are."""

    from_on = day_field(
        gettext_lazy("From which day on?"),
        gettext_lazy("Until then all stays as it is, and you can take the change back."),
    )

    def __init__(self, *args: Any, first: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.first = first
        self.fields["from_on"].initial = first
        self.fields["from_on"].widget.attrs["min"] = first.isoformat()

    def clean_from_on(self) -> date:
        day = self.cleaned_data["from_on"]
        if day < self.first:
            raise forms.ValidationError(_("Choose %(day)s or a later day.") % {"day": full_day(self.first)})
        if day > self.first + timedelta(days=366):
            raise forms.ValidationError(_("Choose a day within a year."))
        return day

    def check_span(self, begins: str, ends: str) -> tuple[time, time] | None:
        """The two times of one span; None where nothing was typed, or where something is wrong, which is said."""
        start, end = self.cleaned_data.get(begins), self.cleaned_data.get(ends)
        if {begins, ends} & self.errors.keys() or start is end is None:
            return None
        if start is None or end is None:
            missing = begins if start is None else ends
            self.add_error(missing, _("Both times are needed, or none."))
        elif end <= start:
            self.add_error(ends, _("It ends before it begins."))
        else:
            return start, end
        return None


class WeekForm(FromADay):
    """The hours of seven days, up to two spans a day. `week`: (weekday, from, until), shown first and answered
    as `rows` when it is valid."""

    def __init__(self, *args: Any, week: Sequence[tuple[int, time, time]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for day in Weekday:
            spans = [(begins, ends) for weekday, begins, ends in week if weekday == day]
            for n in range(PERIODS):
                begins, ends = spans[n] if n < len(spans) else (None, None)
                names = {"day": day.label, "n": n + 1}
                self._add(f"from_{day}_{n}", _("%(day)s, from (%(n)s)"), names, begins)
                self._add(f"until_{day}_{n}", _("%(day)s, until (%(n)s)"), names, ends)

    def _add(self, name: str, label: Any, names: dict[str, Any], initial: time | None) -> None:
        self.fields[name] = dress(time_field(label % names))
        self.fields[name].initial = initial

    @cached_property
    def days(self) -> list[tuple[Any, list[tuple[Any, Any]]]]:
        """For the page: the name of each day with its pairs of fields."""
        return [
            (day.label, [(self[f"from_{day}_{n}"], self[f"until_{day}_{n}"]) for n in range(PERIODS)])
            for day in Weekday
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.rows: list[tuple[int, time, time]] = []
        for day in Weekday:
            last: time | None = None
            for n in range(PERIODS):
                span = self.check_span(f"from_{day}_{n}", f"until_{day}_{n}")
                if span is None:
                    continue
                if last is not None and span[0] < last:
                    self.add_error(f"from_{day}_{n}", _("It begins before the one above ends."))
                last = span[1]
                self.rows.append((int(day), *span))
        return data


class SittingsForm(FromADay):
    """Sittings, each on some days of the week; lines left empty are none. `rows` when it is valid."""

    def __init__(self, *args: Any, week: Sequence[Places], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        grouped: dict[tuple[time, time, int], list[int]] = {}
        for one in week:
            grouped.setdefault((one.starts_at, one.ends_at, one.capacity), []).append(one.weekday)
        lines = sorted(grouped.items())
        self.count = min(len(lines) + SPARE, max(MOST_SITTINGS, len(lines)))
        for n in range(self.count):
            (begins, ends, capacity), days = lines[n] if n < len(lines) else ((None, None, None), [])
            self._add(f"days_{n}", self._days_field(), days)
            self._add(f"from_{n}", time_field(gettext_lazy("From")), begins)
            self._add(f"until_{n}", time_field(gettext_lazy("Until")), ends)
            self._add(
                f"places_{n}", number_field(gettext_lazy("Places"), MOST_PLACES, required=False), capacity
            )

    def _add(self, name: str, field: forms.Field, initial: Any) -> None:
        self.fields[name] = dress(field)
        field.initial = initial

    @staticmethod
    def _days_field() -> forms.Field:
        return forms.TypedMultipleChoiceField(
            label=pgettext_lazy("of the week", "Days"),
            choices=Weekday.choices,
            coerce=int,
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        """For the page: the fields of each line."""
        return [
            {name: self[f"{name}_{n}"] for name in ("days", "from", "until", "places")}
            for n in range(self.count)
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.rows: list[Places] = []
        for n in range(self.count):
            if not any(data.get(f"{name}_{n}") for name in ("days", "from", "until", "places")):
                continue
            span = self.check_span(f"from_{n}", f"until_{n}")
            if span is None:
                if not {f"from_{n}", f"until_{n}"} & self.errors.keys():
                    self.add_error(f"from_{n}", _("Say from when until when."))
                continue
            if not data.get(f"days_{n}"):
                self.add_error(f"days_{n}", _("Choose at least one day."))
            if data.get(f"places_{n}") is None:
                if f"places_{n}" not in self.errors:
                    self.add_error(f"places_{n}", _("Say how many places there are."))
                continue
            for weekday in data.get(f"days_{n}") or ():
                meets = next((one for one in self.rows if _meet(one, weekday, *span)), None)
                if meets is not None:
                    self.add_error(
                        f"from_{n}",
                        _("It overlaps the one from %(begins)s until %(ends)s on %(day)s.")
                        % {
                            "begins": f"{meets.starts_at:%H:%M}",
                            "ends": f"{meets.ends_at:%H:%M}",
                            "day": Weekday(weekday).label,
                        },
                    )
                    break
                self.rows.append(Places(weekday, *span, data[f"places_{n}"]))
        return data


def _meet(one: Places, weekday: int, begins: time, ends: time) -> bool:
    return one.weekday == weekday and one.starts_at < ends and begins < one.ends_at
