from django.utils.translation import gettext_noop

from marketplace.management.imports import ImportCommand
from vouchers.redemption.files import REDEMPTIONS, import_redemptions


class Command(ImportCommand):
    help = gettext_noop(
        "Redeem every row of a file (key, happened_at, premises, service, elder, quantity, channel). "
        "Each row counts by itself: refused rows are listed with their line and the reason, and may be tried again. "
        "Importing a file twice takes nothing twice."
    )
    columns = REDEMPTIONS
    run = staticmethod(import_redemptions)
