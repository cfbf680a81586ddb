"""What is told without anybody pressing a button: vouchers spent, vouchers that end soon.

Only elders who have tied their record to a phone, or let somebody act, are told: they agreed to it. The
paths that spend write nothing for this; whoever comes round looks, and `once` keeps it at one message each.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from marketplace.messages.operations import tell
from vouchers.delegates.models import Delegation
from vouchers.models import Elder, Redemption, Voucher

LOOK_BACK = timedelta(hours=2)  # a round that was missed is made up for; what is older is no news
DAYS_BEFORE = 3


def tied(at: datetime) -> QuerySet[Elder]:
    """The living who have an account, or somebody who acts for them."""
    today = timezone.localdate(at)
    acts = Delegation.objects.live(today).values("elder")
    return Elder.objects.filter(
        Q(accounts__ended_at=None, accounts__isnull=False) | Q(pk__in=acts), died_on=None
    )


def tell_spent(at: datetime) -> int:
    """This function will tell of vouchers spent since the last rounds: the elder, and who acts for them."""
    spent = Redemption.objects.filter(
        elder__in=tied(at).values("pk"),
        service_on__gte=timezone.localdate(at - LOOK_BACK),
        recorded_at__gte=at - LOOK_BACK,
        vouchers__gt=0,
        reversed_on=None,
    ).select_related("elder", "service", "lease__premises")
    told = 0
    for one in spent.order_by("id"):
        facts: dict[str, Any] = {
            "amount": one.vouchers,
            "what": one.service.name,
            "where": one.lease.premises.name,
            "when": one.happened_at,
        }
        told += tell(kind="spent", elder=one.elder, at=at, once=f"spent:{one.number}", **facts) is not None
        for delegation in Delegation.objects.live(timezone.localdate(at)).filter(elder=one.elder):
            tell(
                kind="spent_by",
                user=delegation.user,
                at=at,
                once=f"spent:{one.number}:{delegation.pk}",
                who=one.elder.name,
                **facts,
            )
    return told


def tell_expiring(at: datetime) -> int:
    """This function will tell each of these elders once what can be spent for three more days only."""
    until = timezone.localdate(at) + timedelta(days=DAYS_BEFORE)
    ending = (
        Voucher.objects.filter(
            elder__in=tied(at).values("pk"),
            valid_until=until,
            expired_on=None,
            voided_on=None,
            remaining__gt=0,
        )
        .values("elder")
        .annotate(left=Sum("remaining"))
        .order_by("elder")
    )
    left: dict[int, Decimal] = {row["elder"]: row["left"] for row in ending}
    told = 0
    for elder in Elder.objects.filter(pk__in=left).order_by("code"):
        once = f"expiring:{elder.code}:{until}"
        told += (
            tell(kind="expiring", elder=elder, at=at, once=once, amount=left[elder.pk], until=until)
            is not None
        )
    return told
