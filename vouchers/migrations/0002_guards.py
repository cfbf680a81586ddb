from django.db import migrations

from ledger.journal import guards
from providers.services import versions


class Migration(migrations.Migration):
    dependencies = [("vouchers", "0001_initial"), ("providers", "0002_guards")]

    operations = [
        guards.append_only("vouchers_issuerun"),
        guards.append_only("vouchers_holdline"),
        guards.append_only("vouchers_movement"),
        guards.append_only("vouchers_reversal"),
        guards.append_only("vouchers_approval"),
        guards.kept("vouchers_redemption", changes_only=("reversed_on",)),
        guards.kept("vouchers_claim", changes_only=("reversed_on", "statement_id", "taken_back_id")),
        guards.kept("vouchers_voucher", changes_only=("remaining", "held", "expired_on", "voided_on")),
        guards.kept("vouchers_statement", when="OLD.state = 'approved'"),
        guards.kept("vouchers_reviewcase", when="OLD.decision <> ''"),
        versions.moves_terms("vouchers_programme"),
        migrations.RunSQL(
            "ALTER TABLE vouchers_voucher SET (fillfactor = 85)",
            "ALTER TABLE vouchers_voucher RESET (fillfactor)",
        ),
    ]
