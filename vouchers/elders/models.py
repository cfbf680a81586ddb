"""The register of elders. Numbers that identify a person are encrypted; names are masked on screen.

Erased, a row keeps its code, the division and the year of birth: what vouchers and redemptions rest on
(vouchers/elders/erasing.py)."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.models import Division
from vouchers.elders import masking, sealing


class ElderQuerySet(models.QuerySet["Elder"]):
    def known(self) -> "ElderQuerySet":
        """Those who can be found and served: whoever was erased is not."""
        return self.filter(erased_at=None)

    def of_person(self, elder: "Elder") -> "ElderQuerySet":
        """The records of this person as the register has it now: the one that counts, and its doubles."""
        counts = self.values_list("same_as", flat=True).get(pk=elder.pk) or elder.pk
        return self.filter(Q(pk=counts) | Q(same_as=counts))


class Elder(models.Model):
    class Group(models.TextChoices):
        LOW_INCOME = "low_income", _("low income")
        DESTITUTE = "destitute", _("destitute")
        DISABLED = "disabled", _("disabled")
        LIVING_ALONE = "living_alone", _("living alone")
        SPECIAL_FAMILY = "special_family", _("special family")
        VETERAN = "veteran", _("veteran")

    code = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=60)
    # AES-GCM, bound to this row by the elder's code (vouchers/elders/sealing.py).
    id_number_sealed = models.BinaryField(null=True)
    id_number_lookup = models.BinaryField(
        null=True, unique=True, help_text="keyed HMAC-SHA256 of the ID number"
    )
    birth_on = models.DateField()
    division = models.ForeignKey(Division, models.PROTECT, related_name="elders")
    phone_sealed = models.BinaryField(null=True)
    phone_lookup = models.BinaryField(null=True, help_text="keyed HMAC-SHA256 of the phone number")
    phone_tail = models.CharField(max_length=4, blank=True, help_text="last four digits")
    ability_level = models.PositiveSmallIntegerField(null=True, blank=True, help_text="0 intact - 4 complete")
    categories = ArrayField(models.CharField(max_length=16, choices=Group), default=list, blank=True)
    household = models.CharField(max_length=40, blank=True)
    died_on = models.DateField(null=True, blank=True)
    # The record of the same person that counts. A double gets nothing new; what is left on it can be spent.
    same_as = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="doubles")
    erased_at = models.DateTimeField(null=True, blank=True)

    objects = ElderQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        indexes = [
            models.Index(fields=["name"], name="elder_name"),
            models.Index(fields=["phone_lookup"], name="elder_phone"),
            models.Index(fields=["phone_tail"], name="elder_phone_tail"),
        ]
        constraints = [
            models.CheckConstraint(
                name="elder_ability_level_0_to_4",
                condition=Q(ability_level=None) | Q(ability_level__range=(0, 4)),
            ),
            models.CheckConstraint(
                name="elder_not_its_own_double",
                condition=Q(same_as=None) | ~Q(same_as=F("id")),
                violation_error_message=_("A record is not its own double."),
            ),
            models.CheckConstraint(
                name="elder_has_an_id_number_until_erased",
                condition=Q(erased_at__isnull=False)
                | Q(id_number_sealed__isnull=False, id_number_lookup__isnull=False),
            ),
            models.CheckConstraint(
                name="erased_elder_holds_nothing_of_the_person",
                condition=Q(erased_at=None)
                | Q(
                    name="",
                    id_number_sealed=None,
                    id_number_lookup=None,
                    phone_sealed=None,
                    phone_lookup=None,
                    phone_tail="",
                    household="",
                    categories__len=0,
                    ability_level=None,
                    birth_on__month=1,
                    birth_on__day=1,
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def masked_name(self) -> str:
        return masking.name(self.name)

    @property
    def counting(self) -> "Elder":
        """The record of this person that counts; this one, unless it is a double."""
        return self.same_as or self

    def id_number(self) -> str:
        """The 18-digit resident ID; empty once erased. Revealing it is recorded by the face that asks."""
        if self.id_number_sealed is None:
            return ""
        return sealing.open_sealed(self.id_number_sealed, field="id_number", row=self.code)

    def phone(self) -> str:
        if self.phone_sealed is None:
            return ""
        return sealing.open_sealed(self.phone_sealed, field="phone", row=self.code)


class NameKey(models.Model):
    """A way to type a name that stands on the register: the name, its pinyin in each reading, first letters.

    By name, not by elder: names repeat, elders come and go. Written by elders/search.py. The keys hold what
    Elder.name holds, and live under the same protection. Compared byte by byte, so that a prefix is a range.
    """

    name = models.CharField(max_length=60, db_collation="C")
    key = models.CharField(max_length=120, db_collation="C")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "name"], name="name_key_once")]
        indexes = [models.Index(fields=["name"], name="name_key_of_name")]

    def __str__(self) -> str:
        return self.key
