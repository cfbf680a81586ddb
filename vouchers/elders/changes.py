"""What a clerk changes of one elder by hand: where they live, and that two records are one person.

Of doubles, one record counts. The other ends by pointing at it: it gets no new vouchers, and every voucher
that stands on it stays where it was issued, accounted for, to be spent until it runs out. Nothing is moved from
wallet to wallet: a voucher is one elder's, and its history is never rewritten.
"""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ledger.audit.operations import record
from ledger.journal.operations import hold_journal_open
from ledger.journal.queries import day_of
from ledger.refusals import Refusal
from providers.models import Division
from vouchers.elders.deaths import learn_death, wait_for_issues
from vouchers.elders.models import Elder

SENTENCES = {
    "moved_on": _("Somebody has changed this record meanwhile: look at it again."),
    "same_place": _("The person lives there already."),
    "not_a_home": _("Choose a street or community."),
    "itself": _("A record is not its own double: give the code of the other one."),
    "unknown": _("There is no elder with this code."),
    "double": _("This record points at another one already."),
    "points_on": _("That record is itself a double: give the code of the one that counts."),
    "counts": _("Other records point at this one: it counts. End the other one instead."),
    "died_alone": _(
        "A death is on this record and not on the other. Enter it there first, or correct it here."
    ),
    "no_double": _("This record points at no other."),
    "in_future": _("The day of death cannot lie ahead."),
    "before_birth": _("The day of death lies before the birth."),
    "death_known": _("A death is on record already. Correct it first if it is wrong."),
}


class CannotChangeElder(Refusal):
    """Refused; nothing is written. `code` is one of SENTENCES."""

    sentences = SENTENCES


def move_elder(*, elder: Elder, seen: str, division: Division, by: Any, at: datetime) -> Elder:
    """This function will note that an elder has moved; what was issued stays.

    `seen` is the code of the division that was shown. Raises CannotChangeElder.
    """
    with transaction.atomic():
        elder = _locked(elder)
        if elder.division.code != seen:
            raise CannotChangeElder("moved_on")
        if division.level not in (Division.Level.STREET, Division.Level.COMMUNITY):
            raise CannotChangeElder("not_a_home")
        if division.pk == elder.division_id:
            raise CannotChangeElder("same_place")
        old, elder.division = elder.division.code, division
        elder.save(update_fields=["division"])
        detail = {"division": [old, division.code]}
        record(by=by, at=at, action="move_elder", subject=elder.code, detail=detail)
    return elder


def enter_death(*, elder: Elder, died_on: date, by: Any, at: datetime) -> None:
    """This function will note a death that somebody tells, as loading a register would. Raises CannotChangeElder."""
    with transaction.atomic():
        hold_journal_open()  # before any elder is locked (Note [Lock order] in redemption/statements.py)
        now = Elder.objects.get(pk=elder.pk)
        if now.died_on is not None:
            raise CannotChangeElder("death_known")
        if died_on > day_of(at):
            raise CannotChangeElder("in_future")
        if died_on < now.birth_on:
            raise CannotChangeElder("before_birth")
        learn_death(elder=now, died_on=died_on, by=by, at=at)


def link_double(*, double: Elder, counts: Elder, reason: str, by: Any, at: datetime) -> Elder:
    """This function will end a record that is the double of another, which counts from now on.

    1. Lock both, in one order: of two who link them crosswise, one is refused.
    2. Check that neither is part of another pair the wrong way round.
    3. Point at the record that counts; a death on that is learnt for the double too.

    Raises CannotChangeElder.
    """
    with transaction.atomic():
        hold_journal_open()
        if double.pk == counts.pk:
            raise CannotChangeElder("itself")
        wait_for_issues()
        both = Elder.objects.select_for_update(no_key=True).filter(pk__in=[double.pk, counts.pk])
        rows = {one.pk: one for one in both.order_by("id")}
        double, counts = rows[double.pk], rows[counts.pk]
        if double.same_as_id is not None:
            raise CannotChangeElder("double")
        if counts.same_as_id is not None:
            raise CannotChangeElder("points_on")
        if Elder.objects.filter(same_as=double).exists():
            raise CannotChangeElder("counts")
        if double.died_on is not None and counts.died_on is None:
            raise CannotChangeElder("died_alone")
        double.same_as = counts
        double.save(update_fields=["same_as"])
        detail = {"same_as": ["", counts.code], "reason": ["", reason]}
        record(by=by, at=at, action="link_double", subject=double.code, detail=detail)
        if counts.died_on is not None and double.died_on is None:
            learn_death(elder=double, died_on=counts.died_on, by=by, at=at)
    return double


def part_double(*, double: Elder, reason: str, by: Any, at: datetime) -> Elder:
    """This function will undo `link_double`: they are two people after all. Raises CannotChangeElder."""
    with transaction.atomic():
        double = _locked(double)
        if double.same_as is None:
            raise CannotChangeElder("no_double")
        old, double.same_as = double.same_as.code, None
        double.save(update_fields=["same_as"])
        detail = {"same_as": [old, ""], "reason": ["", reason]}
        record(by=by, at=at, action="part_double", subject=double.code, detail=detail)
    return double


def _locked(elder: Elder) -> Elder:
    return (
        Elder.objects.select_for_update(of=["self"], no_key=True)
        .select_related("division", "same_as")
        .get(pk=elder.pk)
    )
