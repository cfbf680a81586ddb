"""What each role finds in its header and on its first page."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from marketplace.accounts.models import Role
from marketplace.web.access import (
    ADMINISTRATORS,
    AUDIT_READERS,
    BUREAU,
    CARD_PRINTERS,
    FINDERS,
    REGISTER_READERS,
    STATEMENT_READERS,
    STEP_TAKERS,
    USER_READERS,
)

SHOWN = 5
"""So many stand in the header; where there are more, the rest waits behind the last place."""

Text = str | Promise


@dataclass(frozen=True)
class Desk:
    """A place of work: its view, who works there, and what is said of it, to some in other words.

    `alone`: no other page belongs to it, though addresses begin like its own. `city`: nobody of one division works there.
    """

    view: str
    label: Text
    about: Text
    icon: str
    roles: Collection[str]
    about_to: Mapping[str, Text] = field(default_factory=dict)
    alone: bool = False
    city: bool = False


OVERSEERS = {*BUREAU, Role.STREET_OFFICER}

# The most used first.
DESKS = (
    Desk(
        "bureau:overview",
        _("Overview"),
        _("The month at a glance: rent, offset, cash, arrears, vouchers"),
        "house",
        OVERSEERS,
        alone=True,
    ),
    Desk(
        "office:today",
        _("Office"),
        _("Today's servings, what the month earns and can still earn, your papers"),
        "building",
        {Role.OPERATOR_MANAGER},
    ),
    Desk(
        "office:work",
        pgettext_lazy("orders", "Work"),
        _("Orders to accept, who goes where, what is under way and done"),
        "calendar-check",
        {Role.OPERATOR_MANAGER},
    ),
    Desk(
        "visits:today",
        _("My visits"),
        _("Where you go today; check in, let the elder confirm, check out; with or without a network"),
        "geo-alt",
        {Role.CAREGIVER},
    ),
    Desk(
        "bureau:months",
        _("Offset months"),
        _("Every lease, month by month: what blocks closing, what was earned, what is due"),
        "calendar3",
        BUREAU,
    ),
    Desk(
        "steps",
        _("Waiting for me"),
        _("Statements that wait for your step: one by one, or together"),
        "calendar-check",
        STEP_TAKERS,
    ),
    Desk(
        "bureau:receipts",
        _("Bank lines"),
        _("What came in and from whom: matched, proposed, waiting; what is still owed"),
        "bar-chart",
        BUREAU,
    ),
    Desk(
        "bureau:reviews",
        _("Review"),
        _("What the rules found, what is held back, and who decides; rules; call-backs"),
        "flag-fill",
        BUREAU,
    ),
    Desk(
        "registers:hub",
        _("Registers"),
        _("Premises, leases, operators, services, programmes: what money rests on"),
        "journal-text",
        REGISTER_READERS,
    ),
    Desk(
        "payments:payouts",
        _("Payouts"),
        _("What operators are paid, refunds, the charity fund, rent handed over"),
        "receipt",
        BUREAU,
    ),
    Desk(
        "work",
        _("Work"),
        _("Uploads, issue, expiry, drawing up a month: what was run and what came of it"),
        "clock-history",
        BUREAU,
        city=True,
    ),
    Desk(
        "reports:index",
        _("Monthly reports"),
        _("Each month in figures, inspections, the seal log, books and evidence"),
        "journal-text",
        OVERSEERS,
    ),
    Desk(
        "bureau:adaptation",
        _("Home adaptation"),
        _("Homes made safer: plans, works, and acceptance with photos before and after"),
        "house",
        OVERSEERS,
    ),
    Desk(
        "bureau:catalogue",
        _("Words and pictures"),
        _("What elders read and see in the market: services and houses"),
        "pencil-square",
        BUREAU,
    ),
    Desk(
        "registers:users",
        _("Users and roles"),
        _("Who may do what: proposed by one administrator, confirmed by another"),
        "people",
        USER_READERS,
    ),
    Desk(
        "bureau:erasures",
        _("Personal data"),
        _("Who asks to be erased and who decides; how long each kind of data is kept"),
        "lock-fill",
        BUREAU,
    ),
    Desk(
        "bureau:audit",
        _("Audit"),
        _("Who did and saw what, searched and exported"),
        "shield-check",
        AUDIT_READERS,
        city=True,
    ),
    Desk(
        "bureau:nightly",
        _("Nightly tasks"),
        _("What the system did by itself: proofs, books, issue, expiry; what failed or is late"),
        "clock-history",
        BUREAU | ADMINISTRATORS,
        city=True,
    ),
    Desk(
        "bureau:calls",
        _("Call-backs"),
        _("Elders drawn by lot, to be asked whether they had the service"),
        "telephone-fill",
        {Role.HOTLINE_AGENT},
    ),
    Desk(
        "hotline:visits",
        _("Visits to confirm"),
        _("Visits that are over and wait for the elder's word by telephone"),
        "telephone-fill",
        {Role.HOTLINE_AGENT},
    ),
    Desk(
        "counter",
        _("Counter"),
        _("The app that takes vouchers, on a tablet that the office has enrolled"),
        "ticket-perforated",
        {Role.CASHIER, Role.OPERATOR_MANAGER},
    ),
    Desk(
        "statements",
        _("Statements"),
        _("Each statement of each lease, of all months"),
        "file-earmark-text",
        STATEMENT_READERS,
        {
            Role.OPERATOR_MANAGER: _(
                "Your leases: what was earned, what is offset, what is due, down to each meal"
            ),
            Role.STREET_OFFICER: _("The leases of your division, month by month"),
        },
    ),
    Desk(
        "payments:payouts",
        _("Payouts"),
        _("What is paid out month by month, with its lines and approvals"),
        "receipt",
        {Role.OPERATOR_MANAGER, Role.STREET_OFFICER},
    ),
    Desk(
        "hotline:search",
        _("Find an elder"),
        _("By name, pinyin, phone or code; print a paper code"),
        "search",
        FINDERS,
        {Role.HOTLINE_AGENT: _("By name, pinyin, phone or code; ring back, then act for them")},
    ),
    Desk(
        "cards",
        _("Voucher cards"),
        _("Print an elder's card: a code to scan and twelve digits, both with the PIN"),
        "person-badge",
        CARD_PRINTERS,
    ),
)


@dataclass(frozen=True)
class Item:
    label: Text
    about: Text
    href: str
    icon: str
    here: bool = False
    exact: bool = False


class Header(NamedTuple):
    shown: list[Item]
    more: list[Item]

    @property
    def here_in_more(self) -> Item | None:
        return next((item for item in self.more if item.here), None)


def home_items(user: Any, path: str = "") -> list[Item]:
    """The desks of this user's role, the most used first; empty for roles that have none yet."""
    role = getattr(user, "role", "")
    items = [
        _item(desk, role, path)
        for desk in DESKS
        if role in desk.roles and not (desk.city and user.division_id)
    ]
    nearest = max((one.href for one in items if one.here), key=len, default="")
    return [replace(one, here=one.here and one.href == nearest) for one in items]


def _item(desk: Desk, role: str, path: str) -> Item:
    href = reverse(desk.view)
    exact = path == href
    here = exact if desk.alone else path.startswith(href)
    return Item(desk.label, desk.about_to.get(role, desk.about), href, desk.icon, here=here, exact=exact)


def header(request: HttpRequest) -> Header:
    items = home_items(request.user, request.path) if request.user.is_authenticated else []
    cut = SHOWN if len(items) > SHOWN + 1 else len(items)
    return Header(items[:cut], items[cut:])
