"""The register of idle public property, from survey to retirement."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from providers.divisions.models import Division


class Premises(models.Model):
    class FormerUse(models.TextChoices):
        PLANT = "plant", _("plant")
        HALL = "hall", _("hall")
        GUESTHOUSE = "guesthouse", _("guesthouse")
        CLINIC = "clinic", _("clinic")
        KINDERGARTEN = "kindergarten", _("kindergarten")
        COMMUNITY_ROOM = "community_room", _("community room")
        PROPERTY_ROOM = "property_room", _("property management room")
        OTHER = "other", _("other use")

    class OwnerKind(models.TextChoices):
        GOVERNMENT = "government", _("government")
        PUBLIC_INSTITUTION = "public_institution", _("public institution")
        STATE_FIRM = "state_firm", _("state-owned firm")
        VILLAGE_COLLECTIVE = "village_collective", _("village collective")

    class Condition(models.TextChoices):
        READY = "ready", _("ready to convert")
        REPAIR = "repair", _("needs repair")
        UNREADY = "unready", _("not yet usable")

    class Stage(models.TextChoices):
        SURVEYED = "surveyed", _("surveyed")
        LISTED = "listed", _("listed")
        LEASED = "leased", _("leased")
        OPERATING = "operating", _("operating")
        RETIRED = "retired", _("retired")

    # Which stage may follow which; loading a register may only move forward along these.
    MOVES = {
        Stage.SURVEYED: {Stage.LISTED, Stage.RETIRED},
        Stage.LISTED: {Stage.LEASED, Stage.SURVEYED, Stage.RETIRED},
        Stage.LEASED: {Stage.OPERATING, Stage.LISTED, Stage.RETIRED},
        Stage.OPERATING: {Stage.LISTED, Stage.LEASED, Stage.RETIRED},
        Stage.RETIRED: set(),
    }

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=120)
    former_use = models.CharField(max_length=16, choices=FormerUse)
    owner = models.CharField(max_length=120)
    owner_kind = models.CharField(max_length=20, choices=OwnerKind)
    division = models.ForeignKey(Division, models.PROTECT, related_name="premises")
    address = models.CharField(max_length=200)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True, blank=True)
    latitude = models.DecimalField(max_digits=8, decimal_places=6, null=True, blank=True)
    floor_area_m2 = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    condition = models.CharField(max_length=8, choices=Condition)
    stage = models.CharField(max_length=9, choices=Stage)
    market_rent = models.DecimalField(
        max_digits=14, decimal_places=2, null=True, blank=True, help_text="yuan a month"
    )

    class Meta:
        ordering = ["code"]
        verbose_name_plural = "premises"

    def __str__(self) -> str:
        return self.name


class StageChange(models.Model):
    """Since `since_on` premises stand at `stage`; the last row is the stage of the premises themselves.

    Public property that is listed is offered for elder care first. Where it leaves the register for another
    use, the decision that allows it stands here.
    """

    append_only = True
    describes_register = True

    premises = models.ForeignKey(Premises, models.PROTECT, related_name="stage_changes")
    stage = models.CharField(max_length=9, choices=Premises.Stage)
    since_on = models.DateField()
    decision_no = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["premises", "id"]
        constraints = [
            models.CheckConstraint(
                name="stage_change_decision_has_reason",
                condition=Q(decision_no="") | ~Q(reason=""),
                violation_error_message=_("A decision is noted with its reason."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.premises_id} {self.stage} {self.since_on}"
