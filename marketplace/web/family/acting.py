"""For whom a page acts: chosen by the session among own record, delegations and an agent's call.

    @for_elder                      the page has an elder, or leads to where one is chosen
    @for_elder(order=True)          and whoever acts may order
    @for_elder(own=True)            and it is the elder in person: PIN, code, who may act
    elder_of(request)               that elder; 404 when there is none
    acting_of(request)              the same with by what right (marketplace/families/operations.py: Acting)

Asked of the database on every request: what the elder ends is ended with the next press of a button. The bar
"acting for 张奶奶" stands in templates/base.html, from the context processor below.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import urlencode

from marketplace.accounts.models import Role, User
from marketplace.families.operations import Acting
from marketplace.web.access import FAMILY, View, roles
from vouchers.delegates import queries
from vouchers.elders.models import Elder

CHOSEN = "acting_for"  # in the session: the elder's code


def person(request: HttpRequest) -> User:
    """Whoever has signed in; pages that use it are declared for those."""
    assert isinstance(request.user, User)
    return request.user


def choices(request: HttpRequest) -> list[Acting]:
    """Everybody whom this person may act for now: the own record first, then who agreed, in that order."""
    found = getattr(request, "_acting_choices", None)
    if found is None:
        found = _choices(request.user)
        request._acting_choices = found  # type: ignore[attr-defined]
    return found


def _choices(user: Any) -> list[Acting]:
    now = timezone.now()
    if not user.is_authenticated or user.role not in FAMILY:
        return []
    if user.role == Role.HOTLINE_AGENT:
        call = queries.current_call(user, now)
        return [Acting(call.elder, user, call=call)] if call and call.called_back_at else []
    own = [Acting(one.elder, user) for one in queries.own_records(user)]
    mine = {acting.elder.pk for acting in own}
    return own + [
        Acting(one.elder, user, delegation=one)
        for one in queries.delegations(user, now)
        if one.elder_id not in mine
    ]


def current(request: HttpRequest) -> Acting | None:
    """The one chosen; where there is but one to choose, that one."""
    found = choices(request)
    chosen = request.session.get(CHOSEN)
    for acting in found:
        if acting.elder.code == chosen:
            return acting
    return found[0] if len(found) == 1 else None


def acting_of(request: HttpRequest) -> Acting:
    acting = current(request)
    if acting is None:
        raise Http404
    return acting


def elder_of(request: HttpRequest) -> Elder:
    return acting_of(request).elder


def choose(request: HttpRequest, code: str) -> Acting:
    """Act for this elder from now on; 404 for one whom this person does not act for."""
    for acting in choices(request):
        if acting.elder.code == code:
            request.session[CHOSEN] = code
            return acting
    raise Http404


def for_elder(view: View | None = None, *, order: bool = False, own: bool = False) -> Any:
    """Declares a page of elder and family: for those who sign in by phone, and agents in a call.

    Without an elder to act for, a page that is opened leads to where one is chosen; a form sent is 404.
    `order`: a delegate who may only look gets 403. `own`: for everybody but the elder it is not there (404).
    """

    def declare(inner: View) -> Callable[..., HttpResponseBase]:
        @wraps(inner)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            acting = current(request)
            if acting is None:
                if request.method not in ("GET", "HEAD"):
                    raise Http404
                return _lead_to_choice(request)
            if own and acting.for_another:
                raise Http404
            if order and not acting.may_order:
                raise PermissionDenied("may_not_order")
            return inner(request, *args, **kwargs)

        return roles(*FAMILY)(page)

    return declare(view) if view is not None else declare


def _lead_to_choice(request: HttpRequest) -> HttpResponseBase:
    if person(request).role == Role.HOTLINE_AGENT:
        return redirect("hotline:search")
    page = redirect("people:whom" if choices(request) else "people:start")
    page["Location"] += "?" + urlencode({"next": request.get_full_path()})
    return page


def context(request: HttpRequest) -> dict[str, Any]:
    """For templates: `acting` (or None). Asks the database for those whom it may concern only."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or user.role not in FAMILY:
        return {"acting": None}
    return {"acting": current(request)}
