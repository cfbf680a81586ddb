"""The Celery application: `celery -A marketplace.config.celery worker`.

A task is acknowledged when it is done and given out again when its worker dies, so every task can be run
twice (marketplace/tasks.py). What is periodic is kept in the database by django-celery-beat, where the admin
shows it with its last run.
"""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.config.settings")

app = Celery("yiquan")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["marketplace"])


@app.on_after_finalize.connect
def schedule(sender: Celery, **_) -> None:
    """The times of marketplace/tasks.py, which beat then keeps in the database."""
    from marketplace.tasks import BEAT

    sender.conf.beat_schedule = BEAT


@setup_logging.connect
def leave_logging_to_django(**_) -> None:
    """Celery would put its own handlers in place of ours, which hide personal data."""
