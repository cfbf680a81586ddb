from django.db import migrations

from ledger.journal import guards
from providers.services import versions


class Migration(migrations.Migration):
    dependencies = [("providers", "0001_initial"), ("ledger", "0002_guards")]

    operations = [
        guards.append_only("providers_rentcharge"),
        versions.TERMS_VERSION,
        versions.moves_terms("providers_operator"),
        versions.moves_terms("providers_safetycheck"),
        versions.moves_terms("providers_suspension"),
        versions.moves_terms("providers_premises"),
        versions.moves_terms("providers_lease"),
        versions.moves_terms("providers_leaseterms"),
        versions.moves_terms("providers_service"),
        versions.moves_terms("providers_offer"),
        versions.moves_terms("providers_price"),
    ]
