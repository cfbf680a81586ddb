"""Whom an account may act for, now."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from vouchers.delegates.models import CALL_LASTS, Call, Delegation, OwnRecord


def own_records(user: Any) -> list[OwnRecord]:
    return list(
        OwnRecord.objects.filter(user=user, ended_at=None, elder__died_on=None)
        .select_related("elder__division")
        .order_by("claimed_at", "id")
    )


def delegations(user: Any, at: datetime) -> list[Delegation]:
    """Those that let this person act, today."""
    return list(
        Delegation.objects.live(timezone.localdate(at))
        .filter(user=user, elder__died_on=None)
        .select_related("elder__division")
        .order_by("agreed_at", "id")
    )


def current_call(agent: Any, at: datetime) -> Call | None:
    """The call that this agent is in; past its hour it is over."""
    return (
        Call.objects.filter(agent=agent, ended_at=None, opened_at__gt=at - CALL_LASTS)
        .select_related("elder__division")
        .first()
    )
