from django.db import migrations

from ledger.journal import guards


class Migration(migrations.Migration):
    dependencies = [
        ("vouchers", "0010_search"),
    ]

    operations = [
        guards.append_only("vouchers_consent"),
        guards.append_only("vouchers_delegateact"),
    ]
