"""What each person may see: querysets, so that another's object is simply not there (404).

Bureau, auditor and street officers see what belongs to leases of premises in or under their own division,
and the whole city when they have none; an operator's manager what belongs to the operator's own leases.
Everyone else sees nothing.
"""

from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from ledger.models import BankLine, Entry
from marketplace.accounts.models import Role
from marketplace.fulfilment.models import WorkOrder
from marketplace.web.access import BUREAU
from providers.divisions.queries import ids_under
from providers.models import Lease, Premises, ReceiptPart
from vouchers.models import (
    Claim,
    Elder,
    Movement,
    Payout,
    Project,
    Redemption,
    Reversal,
    ReviewCase,
    Serving,
    SignedRecord,
    Statement,
    Voucher,
)
from vouchers.redemption.models import RedemptionQuerySet
from vouchers.wallets.models import VoucherQuerySet

BY_DIVISION = BUREAU | {Role.STREET_OFFICER}


def sees_whole_city(user: Any) -> bool:
    return user.role in BY_DIVISION and user.division_id is None


def leases(user: Any) -> QuerySet[Lease]:
    if sees_whole_city(user):
        return Lease.objects.all()
    if user.role in BY_DIVISION:
        return Lease.objects.filter(premises__division__in=ids_under([user.division.code]))
    if user.role == Role.OPERATOR_MANAGER and user.operator_id:
        return Lease.objects.filter(operator=user.operator_id)
    return Lease.objects.none()


def premises(user: Any) -> QuerySet[Premises]:
    """The register of premises as the bureau and streets see it: their division's, or all."""
    if sees_whole_city(user):
        return Premises.objects.all()
    if user.role in BY_DIVISION:
        return Premises.objects.filter(division__in=ids_under([user.division.code]))
    return Premises.objects.none()


def elders(user: Any) -> QuerySet[Elder]:
    """The register as clerks and hotline agents need it: their division's, or everybody; without who was erased."""
    if user.role not in (Role.BUREAU_CLERK, Role.HOTLINE_AGENT):
        return Elder.objects.none()
    if user.division_id is None:
        return Elder.objects.known()
    return Elder.objects.known().filter(division__in=ids_under([user.division.code]))


def own_places(user: Any, day: date) -> QuerySet[Premises]:
    """The premises that an operator's manager rents on this day; nobody else has any."""
    if user.role != Role.OPERATOR_MANAGER or not user.operator_id:
        return Premises.objects.none()
    rented = leases(user).filter(starts_on__lte=day, ends_on__gte=day)
    return Premises.objects.filter(id__in=rented.values("premises")).order_by("code")


def statements(user: Any) -> QuerySet[Statement]:
    everything = Statement.objects.all()
    return everything if sees_whole_city(user) else everything.filter(lease__in=leases(user))


def payouts(user: Any) -> QuerySet[Payout]:
    """The lists of operators with a lease that is seen; an operator's manager sees the operator's own."""
    everything = Payout.objects.all()
    if sees_whole_city(user):
        return everything
    if user.role == Role.OPERATOR_MANAGER:
        return everything.filter(operator=user.operator_id)
    return everything.filter(operator__in=leases(user).values("operator"))


def redemptions(user: Any) -> RedemptionQuerySet:
    """Those served under one of the leases seen, or that claim value for one of them."""
    if sees_whole_city(user):
        return Redemption.objects.all()
    seen = leases(user).values("pk")
    claimed = Claim.objects.filter(redemption=OuterRef("pk"), lease__in=seen)
    return Redemption.objects.filter(Q(lease__in=seen) | Exists(claimed))


def vouchers(user: Any) -> VoucherQuerySet:
    """Those of programmes of the leases seen, or spent at one of them."""
    if sees_whole_city(user):
        return Voucher.objects.all()
    seen = leases(user).values("pk")
    spent = Movement.objects.filter(voucher=OuterRef("pk"), redemption__lease__in=seen)
    return Voucher.objects.filter(Q(programme__lease__in=seen) | Exists(spent))


def bank_lines(user: Any) -> QuerySet[BankLine]:
    """All of them for those who see the whole city, else those that pay one of the leases seen."""
    if sees_whole_city(user):
        return BankLine.objects.all()
    seen = leases(user).values("pk")
    parts = ReceiptPart.objects.filter(receipt__bank_line=OuterRef("pk"), lease__in=seen)
    return BankLine.objects.filter(Q(receipt__lease__in=seen) | Exists(parts))


def reversals(user: Any) -> QuerySet[Reversal]:
    """Those of redemptions seen."""
    if sees_whole_city(user):
        return Reversal.objects.all()
    return Reversal.objects.filter(redemption__in=redemptions(user))


def movements(user: Any) -> QuerySet[Movement]:
    """Those of vouchers seen."""
    if sees_whole_city(user):
        return Movement.objects.all()
    return Movement.objects.filter(voucher__in=vouchers(user))


def entries(user: Any) -> QuerySet[Entry]:
    """Those posted for a document that is seen: a redemption, a reversal, a statement, vouchers, a bank line."""
    if sees_whole_city(user):
        return Entry.objects.all()
    of_entry = OuterRef("pk")
    documents = (
        redemptions(user).filter(entry=of_entry),
        reversals(user).filter(entry=of_entry),
        statements(user).filter(entry=of_entry),
        vouchers(user).filter(run__entry=of_entry),
        movements(user).filter(entry=of_entry),
        bank_lines(user).filter(Q(entry=of_entry) | Q(receipt__decisions__entry=of_entry)),
    )
    seen = Q(pk__in=[])
    for document in documents:
        seen |= Q(Exists(document))
    return Entry.objects.filter(seen)


def review_cases(user: Any) -> QuerySet[ReviewCase]:
    """Those of redemptions seen."""
    if sees_whole_city(user):
        return ReviewCase.objects.all()
    return ReviewCase.objects.filter(redemption__in=redemptions(user))


def places_of_operator(operator_id: int | None) -> QuerySet[Premises]:
    """All premises that an operator has ever rented."""
    return Premises.objects.filter(id__in=Lease.objects.filter(operator=operator_id).values("premises"))


def work_orders(user: Any) -> QuerySet[WorkOrder]:
    """A caregiver's own; a manager's those for premises that the operator rents on the day of service."""
    if user.role == Role.CAREGIVER:
        return WorkOrder.objects.filter(caregiver__user=user.pk)
    if user.role != Role.OPERATOR_MANAGER or not user.operator_id:
        return WorkOrder.objects.none()
    rented = Lease.objects.filter(
        premises=OuterRef("offer__premises"),
        operator=user.operator_id,
        starts_on__lte=OuterRef("hold__service_on"),
        ends_on__gte=OuterRef("hold__service_on"),
    )
    return WorkOrder.objects.filter(Exists(rented))


def adaptations(user: Any) -> QuerySet[Project]:
    """Home adaptations: of elders of one's division, or those that one's operator carries out."""
    if sees_whole_city(user):
        return Project.objects.all()
    if user.role in BY_DIVISION:
        return Project.objects.filter(elder__division__in=ids_under([user.division.code]))
    if user.role == Role.OPERATOR_MANAGER and user.operator_id:
        return Project.objects.filter(operator=user.operator_id)
    return Project.objects.none()


def servings(user: Any) -> QuerySet[Serving]:
    """What was served without a network at premises of one's division."""
    if sees_whole_city(user):
        return Serving.objects.all()
    if user.role in BY_DIVISION:
        return Serving.objects.filter(premises__division__in=ids_under([user.division.code]))
    return Serving.objects.none()


def signed_records(user: Any) -> QuerySet[SignedRecord]:
    """What tablets at premises of one's division signed of that."""
    if sees_whole_city(user):
        return SignedRecord.objects.all()
    if user.role in BY_DIVISION:
        mine = ids_under([user.division.code])
        return SignedRecord.objects.filter(signer__terminal__premises__division__in=mine)
    return SignedRecord.objects.none()
