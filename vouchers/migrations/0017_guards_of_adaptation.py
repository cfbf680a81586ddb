from django.db import migrations

from ledger.journal import guards


class Migration(migrations.Migration):
    dependencies = [
        ("vouchers", "0016_doubles"),
    ]

    operations = [
        guards.append_only("vouchers_inspection"),
        guards.append_only("vouchers_projectphoto"),
    ]
