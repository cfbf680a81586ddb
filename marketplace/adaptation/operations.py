"""Steps of a home adaptation with the messages that belong to them, each in one transaction with its step."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from marketplace.families.operations import Acting, acted
from marketplace.messages.operations import tell
from providers.models import Premises
from vouchers.adaptation import operations
from vouchers.adaptation.models import Plan, Project
from vouchers.adaptation.quotes import Wanted
from vouchers.adaptation.terms import together


@transaction.atomic
def ask(*, acting: Acting, premises: Premises, wish: str, address: str, at: datetime) -> Project:
    """This function will ask for a home adaptation; the elder hears of what another did. Raises CannotAdapt."""
    project = operations.request(
        elder=acting.elder,
        premises=premises,
        wish=wish,
        address=address,
        by=acting.user,
        at=at,
        channel=acting.channel,
    )
    _acted(acting, project, "request_adaptation_for", _("asked for a home adaptation"), at)
    return project


@transaction.atomic
def answer(*, acting: Acting, plan: Plan, yes: bool, reason: str, at: datetime) -> Project:
    """This function will say the family's yes or no to a plan. Raises CannotAdapt."""
    said = {"plan": plan, "by": acting.user, "at": at, "channel": acting.channel}
    if yes:
        project = operations.agree(**said, delegation=acting.delegation)
        _acted(acting, project, "agree_adaptation_for", _("said yes to the plan for your home"), at)
    else:
        project = operations.decline(**said, reason=reason)
        _acted(acting, project, "decline_adaptation_for", _("said no to the plan for your home"), at)
    return project


@transaction.atomic
def cancel(*, acting: Acting, project: Project, reason: str, at: datetime) -> Project:
    """This function will cancel a project for the family. Raises CannotAdapt."""
    project = operations.cancel(project=project, reason=reason, by=acting.user, at=at, channel=acting.channel)
    _acted(acting, project, "cancel_adaptation_for", _("cancelled the home adaptation"), at)
    return project


def _acted(acting: Acting, project: Project, action: str, what: Any, at: datetime) -> None:
    acted(acting=acting, action=action, what=what, at=at, subject=project.number)


@transaction.atomic
def propose(
    *,
    project: Project,
    wanted: Sequence[Wanted],
    due_on: date,
    warranty_months: int,
    by: Any,
    at: datetime,
) -> Plan:
    """This function will make a plan and tell the elder what it costs and how to answer. Raises CannotAdapt."""
    plan = operations.propose(
        project=project, wanted=wanted, due_on=due_on, warranty_months=warranty_months, by=by, at=at
    )
    parts = together(line.parts for line in plan.lines.all())
    tell(
        kind="adaptation_planned",
        elder=project.elder,
        at=at,
        public=parts.public,
        self_pay=parts.self_pay,
    )
    return plan


@transaction.atomic
def inspect(*, project: Project, missing: Sequence[str], note: str, by: Any, at: datetime) -> Project:
    """This function will note an inspection; of accepted works the elder is told. Raises CannotAdapt."""
    found = operations.inspect(project=project, missing=missing, note=note, by=by, at=at)
    if found.warranty_until is not None:
        parts = together(line.parts for line in found.plans.get(answer=Plan.Answer.AGREED).lines.all())
        tell(
            kind="adaptation_accepted",
            elder=found.elder,
            at=at,
            amount=parts.vouchers,
            until=found.warranty_until,
        )
    return found
