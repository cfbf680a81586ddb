"""Proposing a price and deciding on it. Approved, it comes in by the rules by which every price row is loaded."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import name_of, record
from ledger.files.draft import Draft
from ledger.files.problems import Problems
from ledger.files.table import row_of
from ledger.journal.operations import exclusive
from ledger.journal.queries import day_of
from ledger.money import ZERO
from ledger.refusals import Refusal
from providers.known import Known
from providers.models import CashPrice, Lease, Offer, Operator, Premises, Price, PriceProposal
from providers.services.operations import PRICES, plan_prices
from vouchers.city.uses import Uses

State = PriceProposal.State
PATIENCE = 10  # seconds that somebody at a page waits for a run to end

SENTENCES = {
    "wrong_role": _("This step is somebody else's."),
    "same_person": _("Another person decides than the one who proposed."),
    "not_open": _("This proposal was decided or withdrawn already."),
    "not_offered": _("You do not offer this service at present."),
    "too_early": _("A new price begins tomorrow at the earliest, and after the one that it follows."),
    "ended": _("This price ends before that day. Choose the price that holds then."),
    "nothing_new": _("List price and concession are as they are now."),
    "parts": _("The parts of the price exceed the list price."),
    "waits": _("A proposal for this price waits already. Withdraw it first."),
}


class CannotPrice(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES, or "not_loaded" with the sentence of the file's check."""

    sentences = SENTENCES

    def __init__(self, code: str, sentence: str = "") -> None:
        super().__init__(code)
        self._sentence = sentence

    def __str__(self) -> str:
        return self._sentence or super().__str__()


def propose_price(
    *,
    operator: Operator,
    follows: Price,
    valid_from: date,
    list_price: Decimal,
    concession: Decimal,
    reason: str,
    by: Any,
    at: datetime,
) -> PriceProposal:
    """This function will put a proposal before the bureau; the price in force stays as it is.

    Raises: CannotPrice wrong_role, not_offered, too_early, ended, nothing_new, parts, waits.
    """
    if not by.holds("operator_manager", operator=operator):
        raise CannotPrice("wrong_role")
    today = day_of(at)
    if follows.service_id not in set(services_of(operator, today)):
        raise CannotPrice("not_offered")
    if valid_from <= today or valid_from <= follows.valid_from:
        raise CannotPrice("too_early")
    if follows.valid_until is not None and follows.valid_until < valid_from:
        raise CannotPrice("ended")
    if (list_price, concession) == (follows.list_price, follows.concession):
        raise CannotPrice("nothing_new")
    if list_price < follows.government + concession + follows.charity or list_price <= 0 or concession < 0:
        raise CannotPrice("parts")
    try:
        with transaction.atomic():
            made = PriceProposal.objects.create(
                operator=operator,
                follows=follows,
                valid_from=valid_from,
                list_price=list_price,
                concession=concession,
                reason=reason.strip()[:300],
                proposed_at=at,
                proposed_by=name_of(by),
            )
            _note(made, "propose_price", by=by, at=at)
    except IntegrityError as error:
        if "price_proposal_one_waits" not in str(error):
            raise
        raise CannotPrice("waits") from None
    return made


def withdraw_price(*, proposal: PriceProposal, by: Any, at: datetime) -> PriceProposal:
    """This function will take a proposal back. Raises: CannotPrice wrong_role, not_open."""
    with transaction.atomic():
        found = _waiting(proposal)
        if not by.holds("operator_manager", operator=found.operator):
            raise CannotPrice("wrong_role")
        _decide(found, State.WITHDRAWN, by=by, at=at)
        _note(found, "withdraw_price", by=by, at=at)
    return found


def decide_price(
    *, proposal: PriceProposal, approve: bool, by: Any, at: datetime, note: str = ""
) -> PriceProposal:
    """This function will approve a proposal or decline it.

    1. Another person than the one who proposed, of the bureau.
    2. Approved: the old row ends the day before, the new one begins; both are checked and written as two lines of
       service_prices.csv would be, no run under way beside them. What has been redeemed keeps its price.

    Raises: CannotPrice wrong_role, same_person, not_open, too_early, not_loaded; Busy while another run is under way.
    """
    with exclusive("decide_price", wait_seconds=PATIENCE), transaction.atomic():
        found = _waiting(proposal)
        if not any(by.holds(role, city=True) for role in ("bureau_clerk", "bureau_approver")):
            raise CannotPrice("wrong_role")
        if name_of(by) == found.proposed_by:
            raise CannotPrice("same_person")
        if approve:
            if found.valid_from <= day_of(at):
                raise CannotPrice("too_early")
            found.made = _loaded(found, by=by, at=at)
        _decide(found, State.APPROVED if approve else State.DECLINED, by=by, at=at, note=note)
        _note(found, "approve_price" if approve else "decline_price", by=by, at=at)
    return found


def _loaded(proposal: PriceProposal, *, by: Any, at: datetime) -> Price:
    """The new row, written with the end of the old one."""
    old, problems = proposal.follows, Problems()
    draft = Draft("service_prices", problems, by=name_of(by), at=at)
    same = {"service": old.service.code, "min_age": old.min_age, "max_age": old.max_age}
    parts = {"government": old.government, "charity": old.charity}
    plan_prices(
        rows=[
            row_of(
                PRICES,
                1,
                **same,
                **parts,
                valid_from=old.valid_from,
                valid_until=proposal.valid_from - timedelta(days=1),
                list_price=old.list_price,
                concession=old.concession,
            ),
            row_of(
                PRICES,
                2,
                **same,
                **parts,
                valid_from=proposal.valid_from,
                valid_until=old.valid_until,
                list_price=proposal.list_price,
                concession=proposal.concession,
            ),
        ],
        draft=draft,
        known=Known(Uses()),
    )
    if problems:
        raise CannotPrice("not_loaded", problems.first[0].sentence)
    draft.write()
    return Price.objects.get(
        service=old.service, valid_from=proposal.valid_from, min_age=old.min_age, max_age=old.max_age
    )


# What a proposal is looked at with


def services_of(operator: Operator, on: date) -> list[int]:
    """The services that the operator offers on this day, by id."""
    places = Lease.objects.filter(operator=operator, starts_on__lte=on, ends_on__gte=on).values("premises")
    offers = Offer.objects.filter(Q(ends_on=None) | Q(ends_on__gte=on), premises__in=places)
    return list(offers.order_by().values_list("service", flat=True).distinct())


@dataclass(frozen=True, slots=True)
class CashCheck:
    """What somebody without vouchers pays at a place on the first day; None where the place has no cash price."""

    premises: Premises
    cash: Decimal | None
    dearer_by: Decimal


def cash_checks(proposal: PriceProposal) -> list[CashCheck]:
    """The proposed list price against the cash price list of each place of the operator's that offers the service.

    Nobody pays more with vouchers than without. Two queries.
    """
    on = proposal.valid_from
    places = (
        Premises.objects.filter(
            leases__operator=proposal.operator,
            leases__starts_on__lte=on,
            leases__ends_on__gte=on,
            offers__service=proposal.follows.service_id,
        )
        .distinct()
        .order_by("code")
    )
    rows = CashPrice.objects.filter(
        premises__in=places, service=proposal.follows.service_id, valid_from__lte=on
    ).order_by("valid_from")
    cash = {row.premises_id: row.price for row in rows}  # the latest wins
    return [
        CashCheck(
            place,
            cash.get(place.pk),
            max(proposal.list_price - cash[place.pk], ZERO) if place.pk in cash else ZERO,
        )
        for place in places
    ]


def others_who_offer(proposal: PriceProposal) -> list[Operator]:
    """The other operators whose price this changes too."""
    on = proposal.valid_from
    return list(
        Operator.objects.filter(
            leases__starts_on__lte=on,
            leases__ends_on__gte=on,
            leases__premises__offers__service=proposal.follows.service_id,
        )
        .exclude(pk=proposal.operator_id)
        .distinct()
        .order_by("code")
    )


def _waiting(proposal: PriceProposal) -> PriceProposal:
    found = (
        PriceProposal.objects.select_for_update(of=["self"])
        .select_related("operator", "follows__service")
        .get(pk=proposal.pk)
    )
    if found.state != State.WAITING:
        raise CannotPrice("not_open")
    return found


def _decide(proposal: PriceProposal, state: str, *, by: Any, at: datetime, note: str = "") -> None:
    proposal.state, proposal.decided_at, proposal.decided_by = state, at, name_of(by)
    proposal.note = note.strip()[:300]
    proposal.save(update_fields=["state", "decided_at", "decided_by", "note", "made"])


def _note(proposal: PriceProposal, action: str, *, by: Any, at: datetime) -> None:
    record(
        by=by,
        at=at,
        action=action,
        subject=f"price:{proposal.pk}",
        detail={
            "service": proposal.follows.service.code,
            "operator": proposal.operator.code,
            "from": proposal.valid_from.isoformat(),
            "list_price": str(proposal.list_price),
            "concession": str(proposal.concession),
        },
    )
