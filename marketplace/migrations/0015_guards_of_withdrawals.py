from django.db import migrations

from ledger.journal import guards


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0014_photo_withdrawn"),
    ]

    operations = [
        guards.append_only("marketplace_photowithdrawal"),
    ]
