"""Everything that is held about one person, as the sheets of a workbook.

Each part of the copy says which models it reads. A test walks all models: one that points at an elder or an account is
read by a part, or stands in NOT_COPIED with the reason (tests/privacy/test_copy.py).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.files.write import As, Field, SheetOf, write_book
from ledger.models import Record
from marketplace.accounts.models import User
from marketplace.fulfilment.standing import address_of
from marketplace.models import CareOrder, ElderBasket, Erasure, Message, StandingOrder, WorkOrder
from vouchers.elders import masking
from vouchers.elders.sealing import CannotOpen
from vouchers.models import (
    Call,
    CallBack,
    Consent,
    Delegation,
    Elder,
    ElderCode,
    Hold,
    Movement,
    OwnRecord,
    PaperCode,
    PlanLine,
    Project,
    ProjectPhoto,
    RecordShare,
    Redemption,
    ReviewCase,
    Serving,
    VisitReport,
    Voucher,
)

UNREADABLE = "…"


@dataclass(frozen=True)
class Person:
    """Whose copy it is: the records of one person on the register, and the account. `full`: numbers are not masked."""

    elders: Sequence[Elder]
    users: Sequence[User]
    full: bool = False

    def shown(self, read: Callable[[], str], mask: Callable[[str], str]) -> str:
        """A sealed number as this copy shows it."""
        number = _opened(read)
        return number if self.full or number == UNREADABLE else mask(number)


@dataclass(frozen=True)
class Part:
    """One sheet: its columns, its rows for a person, and the models that they are read from."""

    title: Any
    fields: Sequence[Field]
    rows: Callable[[Person], Iterable[Sequence[Any]]]
    reads: Sequence[type]


def records_of(elder: Elder) -> list[Elder]:
    """The records of this person, with what a copy shows of each."""
    return list(Elder.objects.of_person(elder).select_related("division").order_by("code"))


def write_copy(target: BinaryIO, *, person: Person, by: Any, at: datetime, reason: str = "") -> None:
    """This function will write everything that is held about a person into one XLSX workbook, and note that it did.

    `reason` is given where somebody else than the person takes it.
    """
    with transaction.atomic():
        for subject in [one.code for one in person.elders] or [f"user:{one.pk}" for one in person.users]:
            detail = {"reason": reason} if reason else {}
            record(by=by, at=at, action="copy_data", subject=subject, detail=detail)
    write_book(target, [SheetOf(str(part.title), part.fields, list(part.rows(person))) for part in PARTS])


def _opened(read: Callable[[], str]) -> str:
    try:
        return read()
    except CannotOpen:
        return UNREADABLE


def _who(person: Person) -> Iterable[Sequence[Any]]:
    for one in person.elders:
        yield _("Elder"), one.code
        yield _("Name"), one.name
        yield _("ID number"), person.shown(one.id_number, masking.id_number)
        yield _("Born"), one.birth_on.isoformat()
        yield _("Lives in"), one.division.name
        yield _("Phone on file"), person.shown(one.phone, masking.phone)
        yield _("Ability level"), one.ability_level
        yield _("Groups"), "、".join(str(Elder.Group(group).label) for group in one.categories)
        yield _("Household"), one.household
        if one.died_on:
            yield _("Day of death"), one.died_on.isoformat()
        if codes := ElderCode.objects.filter(elder=one).first():
            yield _("Card number"), codes.card
            yield _("PIN set"), codes.pin_set_at and f"{codes.pin_set_at:%Y-%m-%d}"
    for user in person.users:
        yield _("Account"), user.get_username()
        yield _("Mobile phone"), person.shown(user.phone, masking.phone)
        yield _("Account since"), f"{user.joined_at:%Y-%m-%d}"
        yield _("Last signed in"), user.last_login and f"{user.last_login:%Y-%m-%d}"


def _vouchers(person: Person) -> Iterable[Sequence[Any]]:
    rows = Voucher.objects.filter(elder__in=person.elders).select_related("programme")
    for one in rows.order_by("id"):
        yield (
            one.serial, one.programme.name, one.face_value, one.remaining, one.held,
            one.valid_from, one.valid_until, one.expired_on, one.voided_on,
        )  # fmt: skip


def _movements(person: Person) -> Iterable[Sequence[Any]]:
    rows = Movement.objects.filter(voucher__elder__in=person.elders).select_related(
        "voucher__programme", "entry", "redemption__service", "redemption__lease__premises"
    )
    for one in rows.order_by("id"):
        spent = one.redemption
        yield (
            one.voucher.serial, one.entry.dated_on, one.get_kind_display(), one.amount,
            spent and spent.number, spent and spent.service.name, spent and spent.lease.premises.name,
        )  # fmt: skip


def _received(person: Person) -> Iterable[Sequence[Any]]:
    rows = Redemption.objects.filter(elder__in=person.elders).select_related("service", "lease__premises")
    for one in rows.order_by("id"):
        yield (
            one.number, one.happened_at, one.service.name, one.lease.premises.name, one.quantity,
            one.list_price, one.government, one.concession, one.charity, one.vouchers, one.self_pay,
            one.get_channel_display(), one.reversed_on,
        )  # fmt: skip
    unpaid = Serving.objects.filter(elder__in=person.elders, redemption=None)
    for other in unpaid.select_related("service", "premises").order_by("id"):
        yield (
            other.number, other.happened_at, other.service.name, other.premises.name, other.quantity,
            *[None] * 5, other.amount, other.get_channel_display(), None,
        )  # fmt: skip


def _orders(person: Person) -> Iterable[Sequence[Any]]:
    known = set()
    rows = WorkOrder.objects.filter(order__elder__in=person.elders)
    for one in rows.select_related("order", "offer__service", "offer__premises", "hold").order_by("id"):
        known.add(one.hold_id)
        yield (
            one.order.placed_at, one.offer.service.name, one.offer.premises.name, one.quantity,
            one.starts_at, _opened(one.address), one.get_state_display(), one.order.placed_by,
        )  # fmt: skip
    rest = Hold.objects.filter(elder__in=person.elders).exclude(pk__in=known)
    for hold in rest.select_related("service", "premises").order_by("id"):
        yield (
            hold.placed_at, hold.service.name, hold.premises.name, hold.quantity,
            None, "", hold.get_state_display(), "",
        )  # fmt: skip
    baskets = ElderBasket.objects.filter(
        Q(elder__in=person.elders) | Q(user__in=person.users), basket__status="Open"
    )
    for basket in baskets.order_by("pk"):
        for line in basket.basket.lines.select_related("product"):
            yield None, line.product.title, "", line.quantity, None, "", _("not ordered yet"), ""


def _standing(person: Person) -> Iterable[Sequence[Any]]:
    rows = StandingOrder.objects.filter(Q(elder__in=person.elders) | Q(user__in=person.users))
    for one in rows.select_related("offer__service", "offer__premises", "elder").order_by("id"):
        mine = one.elder in person.elders
        yield (
            one.asked_at, one.offer.service.name, one.offer.premises.name,
            " ".join(str(day + 1) for day in one.weekdays), f"{one.clock:%H:%M}", one.quantity, one.starts_on,
            _opened(partial(address_of, one)) if mine else "", one.stopped_at, one.elder.code,
        )  # fmt: skip


def _visits(person: Person) -> Iterable[Sequence[Any]]:
    rows = VisitReport.objects.filter(hold__elder__in=person.elders)
    for one in rows.select_related("hold__service", "caregiver", "photo").order_by("id"):
        place = "" if one.latitude is None else f"{one.latitude}, {one.longitude}"
        yield (
            one.number, one.happened_at, one.hold.service.name, one.get_kind_display(), one.get_how_display(),
            one.caregiver.name, place, one.photo and one.photo.number,
        )  # fmt: skip


def _adaptations(person: Person) -> Iterable[Sequence[Any]]:
    rows = Project.objects.filter(elder__in=person.elders).select_related("operator")
    for one in rows.order_by("id"):
        lines = PlanLine.objects.filter(plan__project=one, plan__answer="agreed")
        sums: list[Decimal] = [line.vouchers for line in lines]
        yield (
            one.number, one.requested_at, one.operator.name, one.get_state_display(), one.wish,
            _opened(one.address), one.findings, "、".join(str(line.item) for line in lines),
            sum(sums, Decimal(0)), one.accepted_at, ProjectPhoto.objects.filter(project=one).count(),
        )  # fmt: skip


def _ties(person: Person) -> Iterable[Sequence[Any]]:
    either = Q(elder__in=person.elders) | Q(user__in=person.users)
    for own in OwnRecord.objects.filter(either).select_related("elder").order_by("id"):
        yield _("own record"), own.elder.code, own.get_proof_display(), "", None, own.claimed_at, own.ended_at
    for one in Delegation.objects.filter(either).select_related("elder").order_by("id"):
        yield (
            _("acts for"), one.elder.code, f"{_opened(one.name)} ({one.get_relation_display()})",
            f"{one.get_scope_display()}, {one.get_state_display()}", one.cap, one.asked_at, one.ended_at,
        )  # fmt: skip
    for call in Call.objects.filter(elder__in=person.elders).select_related("agent", "elder").order_by("id"):
        yield (
            _("call of the hotline"), call.elder.code, call.agent.get_username(), "", None,
            call.opened_at, call.ended_at,
        )  # fmt: skip
    papers = PaperCode.objects.filter(Q(elder__in=person.elders) | Q(used_by__in=person.users))
    for paper in papers.select_related("elder", "made_by").order_by("id"):
        ended = paper.used_at or paper.voided_at
        yield _("paper code"), paper.elder.code, paper.made_by.get_username(), "", None, paper.made_at, ended
    for share in RecordShare.objects.filter(elder__in=person.elders).select_related("elder").order_by("id"):
        opened = _("opened %(n)s times") % {"n": share.opened}
        yield (
            _("list shared"),
            share.elder.code,
            str(share.year),
            opened,
            None,
            share.shared_at,
            share.ended_at,
        )


def _consents(person: Person) -> Iterable[Sequence[Any]]:
    rows = Consent.objects.filter(Q(elder__in=person.elders) | Q(user__in=person.users))
    for one in rows.select_related("elder").order_by("id"):
        given = _("given") if one.given else _("withdrawn")
        yield one.at, one.get_matter_display(), one.version, given, one.elder.code


def _messages(person: Person) -> Iterable[Sequence[Any]]:
    rows = Message.objects.filter(Q(elder__in=person.elders) | Q(user__in=person.users))
    for one in rows.order_by("id"):
        yield one.created_at, _opened(one.text), one.get_outcome_display(), one.sent_at


def _checks(person: Person) -> Iterable[Sequence[Any]]:
    cases = ReviewCase.objects.filter(redemption__elder__in=person.elders).select_related("redemption")
    for one in cases.order_by("id"):
        yield (
            one.redemption.number, one.opened_at, one.get_reason_display(), one.get_decision_display(),
            one.decided_at, "; ".join(filter(None, [one.held_for, one.note])),
        )  # fmt: skip
    calls = CallBack.objects.filter(redemption__elder__in=person.elders).select_related("redemption", "round")
    for call in calls.order_by("id"):
        yield (
            call.redemption.number, call.round.at, _("sampled call-back"), call.get_result_display(), call.at,
            call.note,
        )  # fmt: skip


def _seen(person: Person) -> Iterable[Sequence[Any]]:
    """About the person, the own redemptions and servings; and what the account did."""
    subjects = [one.code for one in person.elders] + [f"user:{one.pk}" for one in person.users]
    for kind in (Redemption, Serving):
        subjects += [one.number for one in kind.objects.filter(elder__in=person.elders).only("id")]
    names = [one.get_username() for one in person.users]
    for one in Record.objects.filter(Q(subject__in=subjects) | Q(by__in=names)).order_by("id"):
        yield one.at, one.by, one.channel, one.action, one.subject, one.detail.get("reason") or ""


def _requests(person: Person) -> Iterable[Sequence[Any]]:
    rows = Erasure.objects.filter(Q(elder__in=person.elders) | Q(user__in=person.users))
    for one in rows.order_by("id"):
        yield one.asked_at, one.get_state_display(), one.reason, one.decided_at, one.answer


def _text(heading: Any, width: int = 20) -> Field:
    return Field(heading, width=width)


def _amounts(*headings: Any) -> list[Field]:
    return [Field(one, As.AMOUNT, width=12) for one in headings]


def _times(*headings: Any) -> list[Field]:
    return [Field(one, As.TIME, width=20) for one in headings]


def _days(*headings: Any) -> list[Field]:
    return [Field(one, As.DATE, width=12) for one in headings]


QUANTITY = Field(_("Quantity"), As.NUMBER, width=10)

PARTS = (
    Part(_("Who I am"), [_text(_("What")), _text(_("Value"), 40)], _who, [Elder, ElderCode, User]),
    Part(
        _("Vouchers held"),
        [
            _text(_("Serial"), 18), _text(_("Programme"), 28),
            *_amounts(_("Face value"), _("Left"), _("Set aside")),
            *_days(_("From"), _("Until"), _("Expired"), _("Voided")),
        ],
        _vouchers,
        [Voucher],
    ),
    Part(
        _("What vouchers were used for"),
        [
            _text(_("Serial"), 18), *_days(_("Day")), _text(_("What happened")), *_amounts(_("Amount")),
            _text(_("Redemption"), 16), _text(_("Service")), _text(_("Place"), 24),
        ],
        _movements,
        [Movement],
    ),
    Part(
        _("Services received"),
        [
            _text(_("Number"), 16), *_times(_("When")), _text(_("Service")), _text(_("Place"), 24), QUANTITY,
            *_amounts(
                _("List price"), _("Government part"), _("Concession"), _("Charity part"), _("Voucher value"), _("Self-pay")
            ),
            _text(_("Channel"), 12), *_days(_("Reversed")),
        ],
        _received,
        [Redemption, Serving],
    ),
    Part(
        _("Orders"),
        [
            *_times(_("Ordered")), _text(_("Service")), _text(_("Place"), 24), QUANTITY, *_times(_("When")),
            _text(_("Address"), 32), _text(_("State"), 14), _text(_("By")),
        ],
        _orders,
        [CareOrder, WorkOrder, Hold, ElderBasket],
    ),
    Part(
        _("Standing orders"),
        [
            *_times(_("Ordered")), _text(_("Service")), _text(_("Place"), 24), _text(_("Weekdays (1 is Monday)"), 14),
            _text(_("Time"), 8), QUANTITY, *_days(_("From")), _text(_("Address"), 32), *_times(_("Stopped")),
            _text(_("For"), 10),
        ],
        _standing,
        [StandingOrder],
    ),
    Part(
        _("Visits at home"),
        [
            _text(_("Number"), 16), *_times(_("When")), _text(_("Service")), _text(_("What happened")),
            _text(_("Confirmed by")), _text(_("Caregiver")), _text(_("Where (latitude, longitude)"), 24),
            _text(_("Photo"), 38),
        ],
        _visits,
        [VisitReport],
    ),
    Part(
        _("Home adaptation"),
        [
            _text(_("Number"), 12), *_times(_("Requested")), _text(_("Operator"), 24), _text(_("State"), 16),
            _text(_("Wish"), 32), _text(_("Address"), 32), _text(_("Findings"), 32), _text(_("Items agreed"), 32),
            *_amounts(_("Voucher value")), *_times(_("Accepted")), Field(_("Photos"), As.NUMBER, width=10),
        ],
        _adaptations,
        [Project, PlanLine, ProjectPhoto],
    ),
    Part(
        _("Who acts for whom"),
        [
            _text(_("What")), _text(_("Elder"), 10), _text(_("Who or how"), 28), _text(_("Agreed"), 28),
            *_amounts(_("A month")), *_times(_("From"), _("Ended")),
        ],
        _ties,
        [OwnRecord, Delegation, Call, PaperCode, RecordShare],
    ),
    Part(
        _("Consents"),
        [*_times(_("When")), _text(_("What"), 40), _text(_("Version"), 12), _text(_("Answer"), 12), _text(_("Elder"), 10)],
        _consents,
        [Consent],
    ),
    Part(
        _("Messages"),
        [*_times(_("When")), _text(_("Text"), 90), _text(_("Outcome"), 16), *_times(_("Sent"))],
        _messages,
        [Message],
    ),
    Part(
        _("Checks"),
        [
            _text(_("Redemption"), 16), *_times(_("When")), _text(_("Why"), 32), _text(_("Decision"), 16),
            *_times(_("Decided")), _text(_("Note"), 40),
        ],
        _checks,
        [ReviewCase, CallBack],
    ),
    Part(
        _("Who saw or did what"),
        [
            *_times(_("When")), _text(_("Who")), _text(_("Channel"), 10), _text(_("Action"), 24),
            _text(_("About"), 18), _text(_("Reason"), 40),
        ],
        _seen,
        [Record],
    ),
    Part(
        _("Requests to be erased"),
        [*_times(_("When")), _text(_("State")), _text(_("Reason"), 40), *_times(_("Decided")), _text(_("Answer"), 40)],
        _requests,
        [Erasure],
    ),
)  # fmt: skip

OSCAR = "of the shop's library; nothing of ours writes or shows it"
STAFF = (
    "what somebody did in office: it is about the office, and stands in the audit under the account's name"
)
SECRET = "secrets that prove who somebody is; a copy would be a way in"
NOT_COPIED = {
    "accounts.Invitation": SECRET,
    "accounts.Passkey": SECRET,
    "accounts.RecoveryCode": SECRET,
    "accounts.SecondFactor": SECRET,
    "accounts.User_groups": "no account is in a group: the role says all",
    "accounts.User_user_permissions": "no account has a permission of its own: the role says all",
    "admin.LogEntry": "the admin shows and changes nothing",
    "accounts.Grant": STAFF,
    "marketplace.Job": STAFF,
    "order.Order": "copied as our own order, one to one (CareOrder)",
    "basket.Basket": "copied as our own basket, one to one (ElderBasket)",
    "providers.Caregiver": "staff of an operator, which keeps and answers for it",
    "vouchers.Approval": STAFF,
    "vouchers.Objection": STAFF,
    "vouchers.PayoutApproval": STAFF,
    **dict.fromkeys(
        (
            "address.UserAddress", "analytics.UserProductView", "analytics.UserRecord", "analytics.UserSearch",
            "communication.Email", "communication.Notification", "customer.ProductAlert",
            "offer.RangeProductFileUpload", "order.OrderNote", "partner.Partner", "partner.Partner_users",
            "payment.Bankcard", "reviews.ProductReview", "reviews.Vote", "voucher.VoucherApplication",
            "wishlists.WishList",
        ),
        OSCAR,
    ),
}  # fmt: skip
