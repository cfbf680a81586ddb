"""How the market's pages say things: pictures, nearness, stars, days."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.formats import date_format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from providers.ordering.models import Weekday

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=512)  # as in yiquan.py
def service_picture(kind: str) -> SafeString:
    """Our own drawing of a kind of service; the words stand beside it."""
    sheet = static("img/services.svg")
    return format_html(
        '<svg class="drawn" viewBox="0 0 64 64" aria-hidden="true"><use href="{}#{}"></use></svg>',
        sheet,
        kind,
    )


@register.simple_tag
@lru_cache(maxsize=512)
def drawing(name: str) -> SafeString:
    """Our own picture of a service; the words stand beside it."""
    sheet = static("img/scenes.svg")
    return format_html(
        '<svg class="scene" viewBox="0 0 160 100" aria-hidden="true"><use href="{}#{}"></use></svg>',
        sheet,
        name,
    )


@register.simple_tag
def near(one: Any) -> str:
    """How far an offer is from the elder's community."""
    if one.nearness == "own":
        return _("In your community")
    if one.km is None:
        return one.division
    far = _("about %(km)s km") % {"km": f"{max(one.km, 0.1):.1f}"}
    return f"{one.division}, {far}"


@register.simple_tag
def stars(number: int) -> SafeString:
    """Stars as people know them, and as words."""
    words = ngettext("%(number)s star of five", "%(number)s stars of five", number) % {"number": number}
    return format_html(
        '<span class="pill due"><span class="stars" aria-hidden="true">{}</span>{}</span>',
        "★" * number,
        words,
    )


@register.filter
def former(use: Any) -> str:
    """What the house was before it served elders."""
    return _("Once a %(use)s") % {"use": use}


@register.simple_tag
def premises_story(premises: Any) -> SafeString | str:
    """The house's story, where somebody wrote it down: data in Chinese."""
    story = getattr(premises, "story", None)
    return format_html('<p class="story" lang="zh-Hans">{}</p>', story.words) if story else ""


@register.filter
def weekday(day: date) -> str:
    return str(Weekday(day.weekday()).label)


@register.filter
def weekday_name(number: int) -> str:
    """0 is Monday."""
    return str(Weekday(number).label)


@register.filter
def short_day(day: date) -> str:
    """8月23日, or 23 Aug."""
    return format_date(day, pgettext("date format", "j M"))


@register.filter
def places(left: int) -> str:
    """How many are free, as far as it matters."""
    if left > 5:
        return _("free")
    return ngettext("%(left)s place left", "%(left)s places left", left) % {"left": left}


@register.filter
def weekdays(days: Iterable[int]) -> str:
    """Monday to Friday; every day; or the days one by one."""
    chosen = sorted(days)
    if chosen == list(range(7)):
        return _("Every day")
    if chosen == list(range(5)):
        return _("Monday to Friday")
    return _(", ").join(str(Weekday(day).label) for day in chosen)
