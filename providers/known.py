"""The register as a load of files sees it: everything by code, what is stored and what the load brings.

Only `elders` are too many for this; see vouchers/elders/register.py.
"""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Protocol, cast

from django.db.models import ForeignObjectRel, ManyToManyRel, Model

from ledger.journal.queries import first_open_day
from providers.divisions.models import Division
from providers.leases.models import Lease
from providers.operators.models import Operator
from providers.premises.models import Premises
from providers.services.models import Offer, Price, Service


class Uses(Protocol):
    """What the world above has done with terms. Loading asks only about rows that would change."""

    def lease_in_use(self, lease: Lease) -> bool:
        """Whether a redemption, statement, receipt or issued voucher refers to it."""

    def last_service_of_lease(self, lease: Lease) -> date | None:
        """The last service date under this lease, or on which vouchers of its programmes were spent."""

    def service_in_use(self, service: Service) -> bool:
        """Whether a redemption or an order names it."""

    def last_service_at_price(self, price: Price) -> date | None:
        """The last service date on which this row was charged; None: never."""


class Known:
    """Rows by code. Drafts add what their file brings, as instances not yet stored."""

    def __init__(self, uses: Uses) -> None:
        self.uses = uses

    @cached_property
    def divisions(self) -> dict[str, Division]:
        return {row.code: row for row in Division.objects.order_by("code")}

    @cached_property
    def operators(self) -> dict[str, Operator]:
        rows = Operator.objects.order_by("code").prefetch_related("safety_checks", "suspensions")
        return {row.code: row for row in rows}

    @cached_property
    def premises(self) -> dict[str, Premises]:
        return {row.code: row for row in Premises.objects.order_by("code").select_related("division")}

    @cached_property
    def leases(self) -> dict[str, Lease]:
        rows = Lease.objects.order_by("code").select_related("premises", "operator").prefetch_related("terms")
        return {row.code: row for row in rows}

    @cached_property
    def services(self) -> dict[str, Service]:
        return {row.code: row for row in Service.objects.order_by("code")}

    @cached_property
    def offers(self) -> set[tuple[str, str]]:
        """Premises and service, as codes."""
        return set(Offer.objects.order_by().values_list("premises__code", "service__code"))

    @cached_property
    def prices(self) -> list[Price]:
        return list(Price.objects.order_by("id").select_related("service"))

    @cached_property
    def first_open_day(self) -> date | None:
        return first_open_day()


def is_referred_to(rows: Sequence[Model], *, besides: tuple[type[Model], ...] = ()) -> bool:
    """Whether any row of any other table, of this package or above, refers to one of these (of one model).

    A model with `describes_register = True` only shows what the register says: it is no use of it.
    """
    if not rows:
        return False
    for relation in rows[0]._meta.get_fields(include_hidden=True):
        # many-to-many comes here through its own table
        if not isinstance(relation, ForeignObjectRel) or isinstance(relation, ManyToManyRel):
            continue
        model = cast(type[Model], relation.related_model)
        if model in besides or getattr(model, "describes_register", False):
            continue
        if model._base_manager.filter(**{f"{relation.field.name}__in": rows}).exists():
            return True
    return False
