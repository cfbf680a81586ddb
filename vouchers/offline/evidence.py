"""What terminals signed of what they served without a network: checked, kept, and looked through for gaps."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet

from vouchers.offline.models import Serving, SignedRecord
from vouchers.terminals import signing
from vouchers.terminals.asking import Asked
from vouchers.terminals.models import TerminalKey
from vouchers.terminals.queries import Caller

Verdict = SignedRecord.Verdict


def check(
    *,
    caller: Caller,
    key: str,
    asked: Asked,
    promised: Decimal | None,
    signature: signing.Signature | None,
    at: datetime,
) -> SignedRecord | None:
    """What is to be kept as evidence of one serving; nothing for whoever has registered no key."""
    own = TerminalKey.objects.filter(terminal=caller.id).first() if caller.is_terminal else None
    if own is None:
        return None
    found = SignedRecord(signer=own, key=key, verdict=Verdict.MISSING, value=b"", recorded_at=at)
    if signature is not None:
        public = bytes(own.public)
        found.text = signing.record(
            public=public, key=key, asked=asked, promised=promised, signature=signature
        )
        good = signing.is_signed(
            algorithm=own.algorithm, public=public, text=found.text, value=signature.value
        )
        found.verdict = Verdict.GOOD if good else Verdict.WRONG
        found.number, found.previous, found.value = signature
        found.digest = signing.digest(found.text)
    return found


def why_not(signed: SignedRecord | None) -> str:
    """The code of a case, where the signature makes it one."""
    return f"signature_{signed.verdict}" if signed is not None and signed.verdict != Verdict.GOOD else ""


def keep(signed: SignedRecord | None, *, serving: Serving | None, redemption_id: int | None) -> None:
    """This function will keep what was signed, the first time that it is told."""
    if signed is None:
        return
    signed.serving, signed.redemption_id = serving, redemption_id
    SignedRecord.objects.bulk_create([signed], ignore_conflicts=True)


def gaps(told: QuerySet[SignedRecord], *, since: datetime) -> QuerySet[SignedRecord]:
    """Of these records those told since then whose forerunner is not there: something before them was lost, changed
    or held back. It closes by itself once that is told. The newest first."""
    before = SignedRecord.objects.filter(
        verdict=Verdict.GOOD,
        signer=OuterRef("signer"),
        number=OuterRef("number") - 1,
        digest=OuterRef("previous"),
    )
    begins = Q(number=1, previous=signing.FIRST)
    good = told.filter(verdict=Verdict.GOOD, recorded_at__gte=since)
    return good.exclude(begins).filter(~Exists(before)).order_by("-id")
