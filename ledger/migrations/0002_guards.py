from django.db import migrations

from ledger.journal import guards


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [
        guards.REFUSE_CHANGE,
        guards.REFUSE_LOCKED_MONTH,
        guards.ONE_COMMODITY,
        guards.append_only("ledger_account"),
        guards.append_only("ledger_entry"),
        guards.append_only("ledger_transfer"),
        guards.append_only("ledger_period"),
        guards.append_only("ledger_record"),
        guards.append_only("ledger_bankfile"),
        guards.append_only("ledger_bankline"),
    ]
