"""An elder with an account, a daughter far away who acts for two, a son who waits for the elder's answer.

They sign in by phone; the code appears in the terminal of `make run`. Their phones stand in
DATA_DIR/demo-families.json, readable by its owner alone.
"""

import json
import os
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from marketplace.accounts.operations import account_of_phone
from vouchers.delegates import operations as delegates
from vouchers.delegates.models import Delegation, OwnRecord
from vouchers.elders.models import Elder

DAUGHTER, SON = "19911110001", "19911110002"  # of nobody: the town's own phones begin with 199000
FOR = 2


@transaction.atomic
def make_demo_families(*, kept_in: Path, today: date, by: str, at: datetime) -> int:
    """This function will give the elder with the most left to spend `today` an account, let a daughter act for two, and
    a son ask.

    Repeated it changes nothing. Returns how many people can sign in by phone.
    """
    elders = list(
        Elder.objects.filter(
            died_on=None,
            phone_sealed__isnull=False,
            vouchers__expired_on=None,
            vouchers__remaining__gt=0,
            vouchers__valid_from__lte=today,
            vouchers__valid_until__gte=today,
        )
        .annotate(left=Sum("vouchers__remaining"))
        .order_by("-left", "code")[:FOR]
    )
    if not elders:
        return 0
    if not kept_in.exists():
        own = account_of_phone(phone=elders[0].phone(), at=at)
        delegates.claim_record(
            user=own, elder=elders[0], proof=OwnRecord.Proof.PHONE, notice=True, sensitive=True, at=at
        )
        daughter = account_of_phone(phone=DAUGHTER, at=at)
        for elder in elders:
            asked = delegates.ask(
                user=daughter,
                elder=elder,
                name=f"{elder.name[0]}小红",
                relation=Delegation.Relation.CHILD,
                scope=Delegation.Scope.ORDER,
                cap=Decimal("600.00"),
                until=timezone.localdate(at) + timedelta(days=183),
                at=at,
            )
            delegates.agree(delegation=asked, how=Delegation.Agreed.CODE, by=by, at=at)
        delegates.ask(
            user=account_of_phone(phone=SON, at=at),
            elder=elders[0],
            name=f"{elders[0].name[0]}小刚",
            relation=Delegation.Relation.CHILD,
            scope=Delegation.Scope.SEE,
            cap=None,
            until=timezone.localdate(at) + timedelta(days=183),
            at=at,
        )
        _keep(kept_in, elders)
    return 3


def _keep(path: Path, elders: Sequence[Elder]) -> None:
    names = "、".join(elder.name for elder in elders)
    people = [
        {"role": "elder", "phone": elders[0].phone(), "about": elders[0].name},
        {"role": "daughter", "phone": DAUGHTER, "about": names},
        {"role": "son", "phone": SON, "about": elders[0].name},
    ]
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(people, file, ensure_ascii=False, indent=1)
    draft.rename(path)
