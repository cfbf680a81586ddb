from django.db import models


class Voucher(models.Model):
    remaining = models.DecimalField(max_digits=10, decimal_places=2)

    def __str__(self) -> str:
        return f"{self.remaining}"


class Redemption(models.Model):
    key = models.CharField(max_length=80, unique=True)
    voucher = models.ForeignKey(Voucher, models.PROTECT)
    amount = models.DecimalField(max_digits=10, decimal_places=2)

    def __str__(self) -> str:
        return self.key
