"""What each role finds in its header and on its first page."""

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.accounts.models import Role
from marketplace.web.access import (
    AUDIT_READERS,
    BUREAU,
    CARD_PRINTERS,
    FINDERS,
    REGISTER_READERS,
    STATEMENT_READERS,
    STEP_TAKERS,
    USER_READERS,
)


@dataclass(frozen=True)
class Item:
    label: str
    about: str
    href: str
    icon: str
    here: bool = False
    exact: bool = False


def home_items(user: Any, path: str = "") -> list[Item]:
    """The desks of this user's role, the most used first; empty for roles that have none yet."""
    role = getattr(user, "role", "")
    items = []
    if role in BUREAU or role == Role.STREET_OFFICER:
        items.append(
            _item(
                path,
                "bureau:overview",
                _("Overview"),
                _("The month at a glance: rent, offset, cash, arrears, vouchers"),
                "house",
                alone=True,
            )
        )
    if role in BUREAU:
        items.append(
            _item(
                path,
                "bureau:months",
                _("Offset months"),
                _("Every lease, month by month: what blocks closing, what was earned, what is due"),
                "calendar3",
            )
        )
        items.append(
            _item(
                path,
                "bureau:receipts",
                _("Bank lines"),
                _("What came in and from whom: matched, proposed, waiting; what is still owed"),
                "bar-chart",
            )
        )
        items.append(
            _item(
                path,
                "payments:payouts",
                _("Payouts"),
                _("What operators are paid, refunds, the charity fund, rent handed over"),
                "receipt",
            )
        )
        items.append(
            _item(
                path,
                "bureau:reviews",
                _("Review"),
                _("What the rules found, what is held back, and who decides; rules; call-backs"),
                "flag-fill",
            )
        )
        items.append(
            _item(
                path,
                "work",
                _("Work"),
                _("Uploads, issue, expiry, drawing up a month: what was run and what came of it"),
                "clock-history",
            )
        )
        items.append(
            _item(
                path,
                "bureau:catalogue",
                _("Words and pictures"),
                _("What elders read and see in the market: services and houses"),
                "pencil-square",
            )
        )
    if role in BUREAU or role == Role.STREET_OFFICER:
        about = _("Each month in figures, inspections, the seal log, books and evidence")
        items.append(_item(path, "reports:index", _("Monthly reports"), about, "journal-text"))
        items.append(
            _item(
                path,
                "bureau:adaptation",
                _("Home adaptation"),
                _("Homes made safer: plans, works, and acceptance with photos before and after"),
                "house",
            )
        )
    if role in REGISTER_READERS:
        items.append(
            _item(
                path,
                "registers:hub",
                _("Registers"),
                _("Premises, leases, operators, services, programmes: what money rests on"),
                "journal-text",
            )
        )
    if role in USER_READERS:
        items.append(
            _item(
                path,
                "registers:users",
                _("Users and roles"),
                _("Who may do what: proposed by one administrator, confirmed by another"),
                "people",
            )
        )
    if role in AUDIT_READERS:
        items.append(
            _item(
                path,
                "bureau:audit",
                _("Audit"),
                _("Who did and saw what, searched and exported"),
                "shield-check",
            )
        )
    if role == Role.HOTLINE_AGENT:
        items.append(
            _item(
                path,
                "bureau:calls",
                _("Call-backs"),
                _("Elders drawn by lot, to be asked whether they had the service"),
                "telephone-fill",
            )
        )
        items.append(
            _item(
                path,
                "hotline:visits",
                _("Visits to confirm"),
                _("Visits that are over and wait for the elder's word by telephone"),
                "telephone-fill",
            )
        )
    if role == Role.OPERATOR_MANAGER:
        items.append(
            _item(
                path,
                "office:today",
                _("Office"),
                _("Today's servings, what the month earns and can still earn, your papers"),
                "building",
            )
        )
        items.append(
            _item(
                path,
                "office:work",
                _("Work"),
                _("Orders to accept, who goes where, what is under way and done"),
                "calendar-check",
            )
        )
    if role == Role.CAREGIVER:
        items.append(
            _item(
                path,
                "visits:today",
                _("My visits"),
                _(
                    "Where you go today; check in, let the elder confirm, check out; with or without a network"
                ),
                "geo-alt",
            )
        )
    if role in STEP_TAKERS:
        items.append(
            _item(
                path,
                "steps",
                _("Waiting for me"),
                _("Statements that wait for your step: one by one, or together"),
                "calendar-check",
            )
        )
    if role in (Role.CASHIER, Role.OPERATOR_MANAGER):
        about = _("The app that takes vouchers, on a tablet that the office has enrolled")
        items.append(_item(path, "counter", _("Counter"), about, "ticket-perforated"))
    if role in STATEMENT_READERS:
        about = {
            Role.OPERATOR_MANAGER: _(
                "Your leases: what was earned, what is offset, what is due, down to each meal"
            ),
            Role.STREET_OFFICER: _("The leases of your division, month by month"),
        }.get(Role(role), _("Each statement of each lease, of all months"))
        items.append(_item(path, "statements", _("Statements"), about, "file-earmark-text"))
    if role in (Role.OPERATOR_MANAGER, Role.STREET_OFFICER):
        about = _("What is paid out month by month, with its lines and approvals")
        items.append(_item(path, "payments:payouts", _("Payouts"), about, "receipt"))
    if role in FINDERS:
        about = {
            Role.HOTLINE_AGENT: _("By name, pinyin, phone or code; ring back, then act for them"),
        }.get(Role(role), _("By name, pinyin, phone or code; print a paper code"))
        items.append(_item(path, "hotline:search", _("Find an elder"), about, "search"))
    if role in CARD_PRINTERS:
        items.append(
            _item(
                path,
                "cards",
                _("Voucher cards"),
                _("Print an elder's card: a code to scan and twelve digits, both with the PIN"),
                "person-badge",
            )
        )
    nearest = max((one.href for one in items if one.here), key=len, default="")
    return [replace(one, here=one.here and one.href == nearest) for one in items]


def _item(path: str, name: str, label: str, about: str, icon: str, *, alone: bool = False) -> Item:
    """`alone`: no other page belongs to it, though addresses begin like its own."""
    href = reverse(name)
    here = path == href if alone else path.startswith(href)
    return Item(label, about, href, icon, here=here, exact=path == href)


def header_items(request: HttpRequest) -> list[Item]:
    return home_items(request.user, request.path) if request.user.is_authenticated else []
