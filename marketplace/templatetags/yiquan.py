"""How amounts, dates and small drawings are written on every page: one voice, one place."""

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from marketplace.web import navigation, opened
from vouchers.approvals.models import Document
from vouchers.redemption.refusals import SENTENCES as OF_REDEMPTIONS

register = template.Library()

MINUS = "\N{MINUS SIGN}"


@register.filter
def money(amount: Decimal | None) -> str:
    """Yuan for a table: 5,333.50, with a true minus sign; empty for None."""
    if amount is None:
        return ""
    return f"{amount:,.2f}".replace("-", MINUS)


@register.simple_tag
def amount(value: Decimal | None, href: str = "") -> str:
    """Yuan for a table, as a link to the lines that make it where the reader's desk holds them."""
    return format_html('<a href="{}">{}</a>', href, money(value)) if href else money(value)


@register.simple_tag(takes_context=True)
def opens(context: Context, kind: str, *which: Any, **rest: Any) -> str:
    """The address of the lines that make a figure (marketplace/web/opened.py)."""
    return opened.OPENED[kind](context["request"].user, *which, **rest)


@register.simple_tag(takes_context=True)
def opened_amount(context: Context, value: Decimal | None, kind: str, *which: Any, **rest: Any) -> str:
    """A figure that opens its lines: `amount` with the address that `opens` gives."""
    return amount(value, opens(context, kind, *which, **rest))


@register.filter
def yuan(amount: Decimal | None) -> str:
    """Yuan for a sentence: "15 元", "15.50 元"."""
    if amount is None:
        return ""
    text = f"{amount:,.2f}".removesuffix(".00").replace("-", MINUS)
    return _("%(amount)s yuan") % {"amount": text}


@register.filter
def plain(amount: Decimal | None) -> str:
    """Yuan as a large figure beside its unit: 8, 15.50."""
    return "" if amount is None else f"{amount:,.2f}".removesuffix(".00").replace("-", MINUS)


@register.filter
def signed(amount: Decimal | None) -> str:
    """Yuan with its sign, for changes: +8.00, −8.00."""
    return "" if amount is None else f"{amount:+,.2f}".replace("-", MINUS)


@register.filter
def exact(amount: Decimal | None) -> str:
    """A product before its rounding: two decimals, more only where there are any."""
    if amount is None:
        return ""
    fen = amount.quantize(Decimal("0.01"))
    text = f"{fen:,.2f}" if fen == amount else f"{amount.normalize():,f}"
    return text.replace("-", MINUS)


ENTRY_KINDS = {
    "issue": gettext_lazy("Issue of vouchers"),
    "redemption": gettext_lazy("Redemption"),
    "closing": gettext_lazy("Voucher closed"),
    "void_death": gettext_lazy("Voided after a death"),
    "void_fraud": gettext_lazy("Voided for fraud"),
    "correct_death": gettext_lazy("Death corrected, voids undone"),
    "reversal": gettext_lazy("Reversal"),
    "expiry": gettext_lazy("Expiry of vouchers"),
    "hold": gettext_lazy("Vouchers set aside"),
    "release": gettext_lazy("Vouchers released"),
    "statement": gettext_lazy("Offset statement"),
    "bank": gettext_lazy("Bank line"),
    "receipt": gettext_lazy("Receipt matched or released"),
}


@register.filter
def entry_kind(kind: str) -> str:
    """What an entry was posted for; a kind without a word of its own is shown as it stands."""
    return str(ENTRY_KINDS.get(kind, kind))


@register.filter
def percent(share: Decimal | None) -> str:
    """A share as a percentage without idle zeros: 0.3330 is 33.3%."""
    if share is None:
        return ""
    text = f"{Decimal(share) * 100:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


@register.filter
def day(value: date | None) -> str:
    """A date with its weekday, without the year: "8月23日 星期日"."""
    return format_date(_local(value), pgettext("date format", "l, j F")) if value else ""


@register.filter
def full_day(value: date | None) -> str:
    """A date with year and weekday: "2026年8月23日 星期日"."""
    return format_date(_local(value), pgettext("date format", "l, j F Y")) if value else ""


@register.filter
def moment(value: datetime | None) -> str:
    """A moment in Asia/Shanghai with the weekday: "2026年8月23日 星期日 12:04"."""
    return format_date(_local(value), pgettext("date format", "l, j F Y, H:i")) if value else ""


@register.filter
def clock(value: datetime | None) -> str:
    """The time of day in Asia/Shanghai: "12:04"."""
    return format_date(_local(value), "H:i") if value else ""


@register.filter
def month_name(value: date | None) -> str:
    """A month: "2026年8月"."""
    return format_date(value, pgettext("date format", "F Y")) if value else ""


WHY_CLOSED = {
    "cancelled": gettext_lazy("cancelled by the elder or the family"),
    "death": gettext_lazy("the elder has died"),
    "released": gettext_lazy("the vouchers were released elsewhere"),
    "not reported": gettext_lazy("nobody reported it within 72 hours"),
    "absent": gettext_lazy("nobody opened the door"),
    "denied": gettext_lazy("the elder says that nobody came"),
}


@register.filter
def why_closed(reason: str) -> str:
    """Why an order was closed: in our words where the program closed it, else as somebody wrote it.

    A visit that could not be redeemed has the code of that refusal.
    """
    return str(WHY_CLOSED.get(reason) or OF_REDEMPTIONS.get(reason) or reason)


@register.filter
def day_of(value: datetime) -> str:
    """The day of a moment in Asia/Shanghai, for addresses: 2026-08-23."""
    return _local(value).date().isoformat()


@register.filter
def iso_month(value: date | None) -> str:
    """A month as addresses and files write it: 2026-08."""
    return f"{value:%Y-%m}" if value else ""


@register.filter
def iso(value: date | datetime | None) -> str:
    """For datetime="" attributes: machine-readable, local time for moments."""
    return _local(value).isoformat() if value else ""


def _local(value: Any) -> Any:
    return timezone.localtime(value) if isinstance(value, datetime) and timezone.is_aware(value) else value


# Drawings are the same for as long as a process lives: their sheets' addresses change with a new version only.
@register.simple_tag
@lru_cache(maxsize=512)
def icon(name: str, label: str = "") -> SafeString:
    """One icon of the sprite. Without a label it is decoration and hidden from screen readers."""
    sprite = static("vendor/icons.svg")
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}#{}"></use></svg>', label, sprite, name
        )
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', sprite, name)


@register.simple_tag
@lru_cache(maxsize=512)
def pictogram(name: str) -> SafeString:
    """One of our own drawings, for the pages of elders and families; words stand beside it."""
    sheet = static("img/pictograms.svg")
    return format_html('<svg class="picture" aria-hidden="true"><use href="{}#{}"></use></svg>', sheet, name)


@register.simple_tag
def hotline() -> str:
    """The number that helps, the same on every page."""
    return getattr(settings, "HOTLINE", "12349")


@register.inclusion_tag("components/nav.html", takes_context=True)
def main_nav(context: Context) -> dict[str, navigation.Header]:
    """The desks of the header. Error pages may be drawn without a user."""
    request = context.get("request")
    if request is None or not hasattr(request, "user"):
        return {"header": navigation.Header([], [])}
    return {"header": navigation.header(request)}


STATEMENT_MARKS = {
    "draft": ("wait", "hourglass-split"),
    "confirmed": ("wait", "hourglass-split"),
    "reviewed": ("due", "pencil-square"),
    "approved": ("ok", "check-circle-fill"),
}


@register.inclusion_tag("components/pill.html")
def statement_state(statement: Any) -> dict:
    """The state of a statement: colour, icon and word."""
    tone, mark = STATEMENT_MARKS[statement.state]
    return {"tone": tone, "mark": mark, "label": Document.State(statement.state).label}


CASE_MARKS = {
    "released": ("ok", "check-circle-fill"),
    "lifted": ("ok", "check-circle-fill"),
    "rejected": ("no", "x-octagon-fill"),
    "reversed": ("no", "arrow-counterclockwise"),
}


@register.inclusion_tag("components/pill.html")
def case_state(case: Any) -> dict:
    """Where a review case stands: held back, only marked, or how it was decided."""
    if case.decision:
        tone, mark = CASE_MARKS[case.decision]
        return {"tone": tone, "mark": mark, "label": case.get_decision_display()}
    if case.holds:
        return {"tone": "due", "mark": "flag-fill", "label": _("held back")}
    return {"tone": "wait", "mark": "eye", "label": _("marked")}


@register.inclusion_tag("components/pill.html")
def rule_mode(terms: Any) -> dict:
    """What a review rule does with its findings now."""
    if not terms.active:
        return {"tone": "", "mark": "dash-circle", "label": _("rests")}
    if terms.holds:
        return {"tone": "due", "mark": "flag-fill", "label": _("holds back")}
    return {"tone": "wait", "mark": "eye", "label": _("marks")}


@register.simple_tag
def share(part: int, whole: int) -> str:
    """How long a bar is, of 100."""
    return f"{100 * part / whole:.1f}" if whole else "0"


@register.simple_tag
def points(value: float) -> str:
    """A share of answers as a percentage with one decimal: 0.0832 is 8.3%."""
    return f"{100 * value:.1f}%"


@register.inclusion_tag("components/bar.html")
def rent_bar(charge: Decimal, applied: Decimal, carry_out: Decimal, cap: Decimal, tall: bool = False) -> dict:
    """The rent of one lease as a bar: its whole length is the rent; dark is offset, the tick is the cap;
    the thin line below is what is carried on (cut off at the length of the rent)."""
    whole = charge if charge > 0 else max(applied, carry_out, Decimal(1))
    share = lambda part: f"{min(max(part / whole, Decimal(0)), Decimal(1)) * 100:.2f}"  # noqa: E731
    return {
        "applied": share(applied),
        "carry": share(carry_out),
        "cap": share(cap) if charge > 0 else "",
        "tall": tall,
    }


@register.inclusion_tag("components/spent.html")
def spent_bar(issued: Decimal, redeemed: Decimal, left: Decimal) -> dict:
    """What became of what was issued, as a bar: redeemed, left, and the rest that expired or was voided."""
    whole = issued if issued > 0 else Decimal(1)
    return {"redeemed": f"{redeemed / whole * 100:.2f}", "kept": f"{(redeemed + left) / whole * 100:.2f}"}


@register.inclusion_tag("components/sort.html", takes_context=True)
def sort_head(context: Context, key: str, label: str) -> dict:
    """The name of a column as a link that sorts by it; a second press turns the order round."""
    listing = context["listing"]
    now = listing.sort
    return {
        "label": label,
        "query": listing.query(sort=f"-{key}" if now == key else key, page=""),
        "direction": {key: "up", f"-{key}": "down"}.get(now, ""),
    }


@register.simple_tag(takes_context=True)
def listing_query(context: Context, **changes: Any) -> str:
    """The query string of the list on this page, with changes."""
    return context["listing"].query(**changes)
