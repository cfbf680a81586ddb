"""Erasing a person from the register: the person's fields go, the money stays.

Vouchers, redemptions and entries are not touched; they go on under the code, which says nothing of anybody. Only a
death or fraud voids vouchers (rules.md section 6), so what is left runs out in its time: nobody can spend it, since
from now on the code is unknown to whoever redeems. Of the birth date the year stays, on which prices by age rest, of
the address the community, by which figures are added up, and a day of death, on which voids and reviews rest.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger.journal.operations import hold_journal_open
from ledger.journal.queries import first_open_day
from ledger.refusals import Refusal
from vouchers.adaptation.models import Project, ProjectPhoto
from vouchers.codes.models import ElderCode, PinTry, RecordShare, TokenUse
from vouchers.delegates.models import Call, Delegation, OwnRecord, PaperCode
from vouchers.elders.deaths import lock_person, wait_for_issues
from vouchers.elders.models import Elder, NameKey
from vouchers.offline.models import Serving
from vouchers.photos.models import Photo
from vouchers.redemption.models import Claim, Redemption
from vouchers.settlement.models import Objection, ReviewCase
from vouchers.visits.models import VisitReport
from vouchers.wallets.models import Hold

SENTENCES = {
    "erased": _("This person was erased already."),
    "open_order": _("An order is open. It is delivered or cancelled first."),
    "open_adaptation": _("A home adaptation is under way. It is accepted or cancelled first."),
    "open_case": _("A review or an unpaid serving waits for a decision."),
    "open_objection": _(
        "An operator's objection names one of the person's redemptions and waits for an answer."
    ),
    "open_month": _("Something the person received waits for its month to be locked."),
}


class CannotErase(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


def what_is_open(records: Sequence[Elder]) -> list[str]:
    """What keeps this person from being erased now: codes of SENTENCES, in their order."""
    mine = {"elder__in": records}
    of_mine = {"redemption__elder__in": records}
    waiting = Claim.objects.filter(Q(statement=None, reversed_on=None), **of_mine)
    to_take_back = Claim.objects.filter(
        statement__isnull=False, reversed_on__isnull=False, taken_back=None, **of_mine
    )
    found = {
        "erased": any(one.erased_at is not None for one in records),
        "open_order": Hold.objects.filter(state=Hold.State.OPEN, **mine).exists(),
        "open_adaptation": Project.objects.filter(state__in=Project.OPEN, **mine).exists(),
        "open_case": ReviewCase.objects.filter(decision="", **of_mine).exists()
        or Serving.objects.open_cases().filter(**mine).exists(),
        "open_objection": Objection.objects.filter(answer="", **of_mine).exists(),
        "open_month": Redemption.objects.filter(service_on__gte=first_open_day() or date.min, **mine).exists()
        or waiting.exists()
        or to_take_back.exists(),
    }
    return [code for code in SENTENCES if found[code]]


def erase(*, elder: Elder, at: datetime) -> list[Elder]:
    """This function will erase a person from every record of theirs; these records.

    1. Wait for an issue in flight; lock what others lock before an elder, then the records.
    2. Refuse while something is open: it is asked under the lock, so a redemption comes wholly before or after.
    3. Remove what identifies: codes, PIN and their uses; end every tie, and empty the names in them.
    4. Empty pictures, places and addresses; last the register's own fields.

    In the caller's transaction, which notes who asked and who decided (marketplace/privacy/erasing.py).
    Raises CannotErase: the first thing that is open.
    """
    with transaction.atomic():
        hold_journal_open()
        wait_for_issues()
        for ties in (PaperCode, Delegation):  # whoever uses or agrees to one locks it before the elder
            list(ties.objects.select_for_update().filter(elder=elder).order_by("pk").values_list("pk"))
        records = lock_person(elder)
        if matters := what_is_open(records):
            raise CannotErase(matters[0])
        _end_ties(records, at)
        _forget_codes(records)
        _empty_evidence(records)
        names = {one.name for one in records}
        for one in records:
            _empty(one, at)
        borne = set(Elder.objects.filter(name__in=names).values_list("name", flat=True))
        NameKey.objects.filter(name__in=names - borne).delete()
    return records


def _end_ties(records: Sequence[Elder], at: datetime) -> None:
    mine = {"elder__in": records}
    OwnRecord.objects.filter(ended_at=None, **mine).update(ended_at=at)
    Delegation.objects.filter(state__in=Delegation.OPEN, **mine).update(
        state=Delegation.State.ENDED, ended_at=at
    )
    Delegation.objects.filter(**mine).update(name_sealed=b"")
    Call.objects.filter(ended_at=None, **mine).update(ended_at=at)
    PaperCode.objects.filter(used_at=None, voided_at=None, **mine).update(voided_at=at)
    RecordShare.objects.filter(ended_at=None, **mine).update(ended_at=at)


def _forget_codes(records: Sequence[Elder]) -> None:
    codes = ElderCode.objects.filter(elder__in=records)
    for uses in (TokenUse, PinTry):
        uses.objects.filter(code__in=codes).delete()
    codes.delete()


def _empty_evidence(records: Sequence[Elder]) -> None:
    reports = VisitReport.objects.filter(hold__elder__in=records)
    taken = reports.exclude(photo=None).values("photo")
    of_home = ProjectPhoto.objects.filter(project__elder__in=records).values("photo")
    Photo.objects.filter(Q(pk__in=taken) | Q(pk__in=of_home)).update(sealed=b"")
    reports.exclude(latitude=None).update(longitude=None, latitude=None, accuracy_m=None)
    Project.objects.filter(elder__in=records).update(wish="", findings="", address_sealed=b"")


def _empty(elder: Elder, at: datetime) -> None:
    fields: dict[str, Any] = {
        "name": "",
        "id_number_sealed": None,
        "id_number_lookup": None,
        "birth_on": elder.birth_on.replace(month=1, day=1),
        "phone_sealed": None,
        "phone_lookup": None,
        "phone_tail": "",
        "ability_level": None,
        "categories": [],
        "household": "",
        "erased_at": at,
    }
    for name, value in fields.items():
        setattr(elder, name, value)
    elder.save(update_fields=list(fields))
