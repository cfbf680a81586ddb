from django.db import migrations

from ledger.journal import guards


class Migration(migrations.Migration):
    dependencies = [
        ("providers", "0010_registers"),
    ]

    operations = [
        guards.append_only("providers_stagechange"),
    ]
