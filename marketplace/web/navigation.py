"""What each role finds in its header and on its first page."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from marketplace.accounts.models import Role
from marketplace.web.access import BUREAU, STATEMENT_READERS


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
    if role in STATEMENT_READERS:
        about = {
            Role.OPERATOR_MANAGER: _(
                "Your leases: what was earned, what is offset, what is due, down to each meal"
            ),
            Role.STREET_OFFICER: _("The leases of your division, month by month"),
        }.get(Role(role), _("Each statement of each lease, of all months"))
        items.append(_item(path, "statements", _("Statements"), about, "file-earmark-text"))
    return items


def _item(path: str, name: str, label: str, about: str, icon: str) -> Item:
    href = reverse(name)
    return Item(label, about, href, icon, here=path.startswith(href), exact=path == href)


def header_items(request: HttpRequest) -> list[Item]:
    return home_items(request.user, request.path) if request.user.is_authenticated else []
