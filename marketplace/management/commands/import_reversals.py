from django.utils.translation import gettext_noop

from marketplace.management.imports import ImportCommand
from vouchers.redemption.files import REVERSALS, import_reversals


class Command(ImportCommand):
    help = gettext_noop(
        "Reverse the redemptions that a file names by their keys (key, reversed_at, reason). "
        "The value goes back to the same vouchers. Importing a file twice reverses nothing twice."
    )
    columns = REVERSALS
    run = staticmethod(import_reversals)
