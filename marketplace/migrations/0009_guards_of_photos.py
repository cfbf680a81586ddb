from django.db import migrations

from ledger.journal import guards


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0008_premises_photos"),
    ]

    operations = [
        guards.append_only("marketplace_premisesphoto"),
    ]
