from django.db import migrations

# clear_past_terms does what these did; beat keeps in its tables what it was once told.
GONE = "DELETE FROM django_celery_beat_periodictask WHERE task IN ('forget_used_codes', 'drop_forgotten_uploads')"


class Migration(migrations.Migration):
    dependencies = [
        ("marketplace", "0012_privacy"),
        ("django_celery_beat", "0001_initial"),
    ]

    operations = [migrations.RunSQL(GONE, migrations.RunSQL.noop)]
