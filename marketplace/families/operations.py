"""Acts for an elder, told to the elder. The rules are those of vouchers/delegates/operations.py."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from marketplace.messages.operations import tell
from vouchers.delegates import operations as delegates
from vouchers.delegates.models import Call, Delegation
from vouchers.elders.models import Elder


@dataclass(frozen=True)
class Acting:
    """For which elder this request acts, and by what right: the elder's own account (neither delegation nor
    call), a delegation, or a call of the hotline."""

    elder: Elder
    user: Any
    delegation: Delegation | None = None
    call: Call | None = None

    @property
    def for_another(self) -> bool:
        return self.delegation is not None or self.call is not None

    @property
    def may_order(self) -> bool:
        return self.delegation is None or self.delegation.scope == Delegation.Scope.ORDER

    @property
    def channel(self) -> str:
        """How the audit, and a redemption, call the way."""
        return "hotline" if self.call is not None else "web"

    @property
    def who(self) -> Any:
        """The one who acts, as the elder knows them."""
        if self.call is not None:
            return _("The hotline")
        return self.delegation.name() if self.delegation is not None else ""


@transaction.atomic
def acted(*, acting: Acting, action: str, what: Any, at: datetime, once: str = "", subject: str = "") -> None:
    """This function will note an act for another in the audit and tell the elder of it.

    Call it in the transaction of the act. Nothing happens when the elder acts in person. `action` is the
    audit's short name, `what` the words that the elder reads (a lazy text comes in the elder's language);
    with `once` the elder hears of it once.
    """
    if not acting.for_another:
        return
    record(
        by=acting.user,
        at=at,
        action=action,
        subject=subject or acting.elder.code,
        detail={"for": acting.elder.code, "by": "hotline" if acting.call else "delegate"},
        channel=acting.channel,
    )
    tell(kind="acted_for", elder=acting.elder, at=at, once=once, who=acting.who, what=what)


def count_order(*, acting: Acting, key: str, amount: Decimal, at: datetime) -> None:
    """This function will check that the one who acts may order, and count `amount` against a delegate's cap.

    In the transaction of the order, after its vouchers are known; negative when an order is cancelled.
    Raises: vouchers.delegates.operations.CannotAct with may_not_order, not_open or cap_reached.
    """
    if acting.delegation is not None:
        delegates.count_against_cap(delegation=acting.delegation, key=key, amount=amount, at=at)
