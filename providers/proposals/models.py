"""One proposal: what a price row is to become, from which day, why; and what the bureau said."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.operators.models import Operator
from providers.services.models import Price


class PriceProposal(models.Model):
    """An operator proposes a list price and its own concession, for the ages of the row that it would follow.

    Government and charity part are not the operator's to change: they stay as in `follows`. Approved, `made` is the
    new row, and `follows` ends the day before. Prices are the city's: who else offers the service has the new one too.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for the bureau")
        APPROVED = "approved", _("approved")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    MOVES = {
        State.WAITING: {State.APPROVED, State.DECLINED, State.WITHDRAWN},
        State.APPROVED: set(),
        State.DECLINED: set(),
        State.WITHDRAWN: set(),
    }

    operator = models.ForeignKey(Operator, models.PROTECT, related_name="price_proposals")
    follows = models.ForeignKey(Price, models.PROTECT, related_name="proposals")
    valid_from = models.DateField()
    list_price = models.DecimalField(max_digits=12, decimal_places=2)
    concession = models.DecimalField(max_digits=12, decimal_places=2)
    reason = models.CharField(max_length=300)
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=150)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=300, blank=True)
    made = models.OneToOneField(Price, models.PROTECT, null=True, related_name="proposal")

    class Meta:
        ordering = ["-proposed_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                name="price_proposal_one_waits",
                fields=["operator", "follows"],
                condition=Q(state="waiting"),
                violation_error_message=_("A proposal for this price waits already."),
            ),
            models.CheckConstraint(
                name="price_proposal_decided_by_another",
                condition=Q(decided_by="") | Q(state="withdrawn") | ~Q(decided_by=F("proposed_by")),
                violation_error_message=_("Another person decides than the one who proposed."),
            ),
            models.CheckConstraint(
                name="price_proposal_decided_at_some_time",
                condition=Q(state="waiting", decided_at=None, decided_by="")
                | ~Q(state="waiting") & Q(decided_at__isnull=False) & ~Q(decided_by=""),
            ),
            models.CheckConstraint(
                name="price_proposal_approved_has_its_price",
                condition=Q(state="approved", made__isnull=False) | ~Q(state="approved") & Q(made=None),
            ),
            models.CheckConstraint(
                name="price_proposal_sound",
                condition=Q(list_price__gt=0, concession__gte=0, concession__lte=F("list_price")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.follows} {self.valid_from}"
