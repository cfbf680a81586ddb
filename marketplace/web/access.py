"""Who may open which page. Deny by default: a view without a declaration cannot be reached.

Every view is declared by exactly one of `anyone`, `signed_in` or `roles(...)`, and what cannot be cut by division
(work on the whole city, its books, audit, fund) by `whole_city` too. A page of another role answers 403. What a
person may see *within* a page is a queryset (marketplace/web/scope.py): another's object is simply not in it, so it
answers 404 like a missing one.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from marketplace.accounts.models import Role

View = Callable[..., HttpResponseBase]

BUREAU = frozenset({Role.BUREAU_CLERK, Role.BUREAU_APPROVER, Role.AUDITOR})
"""Those who see the whole city."""
STATEMENT_READERS = BUREAU | {Role.OPERATOR_MANAGER, Role.STREET_OFFICER}
FAMILY = frozenset({"", str(Role.HOTLINE_AGENT)})
"""Elders and families, who have no role, and the agent who does the same for them on the telephone."""
STEP_TAKERS = frozenset({Role.OPERATOR_MANAGER, Role.BUREAU_CLERK, Role.STREET_OFFICER, Role.BUREAU_APPROVER})
"""Those who confirm, review and approve statements."""
AUDIT_READERS = frozenset({Role.AUDITOR, Role.BUREAU_APPROVER, Role.ADMINISTRATOR})
"""Those who read who did and saw what."""
NAME_READERS = BUREAU | {Role.STREET_OFFICER}
"""Those who may reveal a masked name: a recorded click with a reason."""

REVERSERS = frozenset({Role.BUREAU_CLERK, Role.BUREAU_APPROVER})
"""Those who may take a redemption back, whenever it was made."""

REGISTER_READERS = BUREAU | {Role.STREET_OFFICER}
"""Those who look into the registers of premises, leases, operators, services and programmes."""
REGISTER_KEEPERS = frozenset({Role.BUREAU_CLERK})
"""Those who enter and change what stands there."""
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR, Role.SECURITY_ADMINISTRATOR})
USER_READERS = ADMINISTRATORS | {Role.AUDITOR}
"""Those who see who has which role; administrators propose them, security administrators confirm."""

PAPER_GIVERS = frozenset({Role.STREET_OFFICER, Role.BUREAU_CLERK})
"""Those who may make a paper code that ties a phone to an elder's record."""
FINDERS = PAPER_GIVERS | {Role.HOTLINE_AGENT}
"""Those who may look for an elder."""
CARD_PRINTERS = frozenset({Role.HOTLINE_AGENT, Role.BUREAU_CLERK})
"""Those who may print an elder's voucher card."""


def plays(user: Any, allowed: frozenset[Role], *, city: bool = False) -> bool:
    """Whether this person's role is one of these; with `city`, whether it holds for the whole city too."""
    return getattr(user, "role", "") in allowed and not (city and user.division_id)


def role_of(user: Any) -> Role:
    """The role of a person who signed in and has one."""
    return Role(user.role)


ANYONE = "anyone"
SIGNED_IN = "signed in"

# Address spaces that check by themselves: the admin asks for is_staff on every page, the API for a token or
# session at every operation (a test walks them all).
SELF_CHECKING = frozenset({"admin", "ninja"})
# What the machine itself asks for; it tells nothing of anybody.
PROBES = frozenset({"healthz", "readyz"})


def anyone(view: View) -> View:
    """Declares a page that needs no sign-in."""

    @wraps(view)
    def open_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    open_view.access = ANYONE  # type: ignore[attr-defined]
    return open_view


def signed_in(view: View) -> View:
    """Declares a page for whoever has signed in, whatever the role."""
    return _guard(view, SIGNED_IN)


def roles(*allowed: str) -> Callable[[View], View]:
    """Declares a page for these roles: others get 403, nobody signed in goes to the sign-in page."""
    if not allowed:
        raise ValueError("a page needs at least one role")

    def declare(view: View) -> View:
        return _guard(view, frozenset(allowed))

    return declare


def whole_city(view: View) -> View:
    """Declares, below `roles`, a page about the whole city: whoever answers for one division gets 403."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.division_id is not None:  # type: ignore[union-attr]
            raise PermissionDenied
        return view(request, *args, **kwargs)

    guarded.whole_city = True  # type: ignore[attr-defined]
    return guarded


def _guard(view: View, access: str | frozenset[str]) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            by_phone = isinstance(access, frozenset) and "" in access
            return redirect_to_login(request.get_full_path(), "sign_in_phone" if by_phone else None)
        if isinstance(access, frozenset) and request.user.role not in access:
            raise PermissionDenied
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    guarded.access = access  # type: ignore[attr-defined]
    return guarded


def declared(view: Any) -> Any:
    """The declaration of a view: ANYONE, SIGNED_IN, a set of roles; None when there is none."""
    return getattr(view, "access", None)


class DenyUndeclared:
    """Middleware: answers 403 for a view that says nothing about who may open it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        match = request.resolver_match
        if match and (SELF_CHECKING.intersection(match.app_names) or match.route in PROBES):
            return
        if declared(view) is None:
            raise PermissionDenied("undeclared view")
