"""What Celery runs. Each task calls one operation; beat's times stand in BEAT, kept in the database.

Shanghai's clock decides which day it is; the operations below are given the day.
"""

from typing import Any

from celery import shared_task
from celery.schedules import crontab
from django.conf import settings
from django.utils import timezone

from ledger.outbox.operations import settle_debts
from marketplace.jobs import operations as jobs
from marketplace.messages import operations as messages
from marketplace.messages import rounds
from marketplace.nightly import operations as nightly
from marketplace.overview.operations import take_snapshot
from vouchers.review import operations as review

BOOKS = str(settings.DATA_DIR / "books")


@shared_task(name="issue_ahead")
def issue_ahead() -> None:
    nightly.noted("issue_ahead", lambda: nightly.issue_ahead(timezone.localdate()))


@shared_task(name="expire_reported")
def expire_reported() -> None:
    nightly.noted("expire_reported", lambda: nightly.expire_reported(timezone.localdate()))


@shared_task(name="deem_silent_confirmed")
def deem_silent_confirmed() -> None:
    nightly.noted("deem_silent_confirmed", lambda: nightly.deem_silent_confirmed(timezone.localdate()))


@shared_task(name="lock_complete_months")
def lock_complete_months() -> None:
    nightly.noted("lock_complete_months", lambda: nightly.lock_complete_months(timezone.localdate()))


@shared_task(name="clear_past_terms")
def clear_past_terms() -> None:
    nightly.noted("clear_past_terms", nightly.clear_past_terms)


@shared_task(name="verify_ledger")
def verify_ledger() -> None:
    nightly.noted("verify_ledger", lambda: nightly.printed("verify_ledger"))


@shared_task(name="seal_entries")
def seal_entries() -> None:
    """After what the night itself posts; the head of the chain is published with it."""
    nightly.noted("seal_entries", lambda: nightly.printed("seal_entries"))


@shared_task(name="check_books")
def check_books() -> None:
    """Where auditors take them: locked months that stand as they were are neither written nor read again."""
    nightly.noted("check_books", lambda: nightly.printed("check_books", BOOKS, "--export"))


@shared_task(name="take_snapshot")
def snapshot() -> None:
    """The overview's figures; noted nowhere but in themselves."""
    take_snapshot(today=timezone.localdate(), at=timezone.now())


@shared_task(name="tell_spent")
def tell_spent() -> None:
    """Every two minutes, so it is noted nowhere but in the log of messages."""
    rounds.tell_spent(timezone.now())


@shared_task(name="tell_expiring")
def tell_expiring() -> None:
    nightly.noted("tell_expiring", lambda: f"{rounds.tell_expiring(timezone.now())} told")


@shared_task(name="publish_catalogue")
def publish_catalogue() -> None:
    nightly.noted("publish_catalogue", lambda: nightly.printed("publish_catalogue"))


@shared_task(name="place_standing")
def place_standing() -> None:
    nightly.noted("place_standing", lambda: nightly.place_standing(timezone.localdate()))


@shared_task(name="tidy_orders")
def tidy_orders() -> None:
    nightly.noted("tidy_orders", nightly.tidy_orders)


@shared_task(name="settle_debts")
def settle() -> None:
    """Do what transactions left owing; every few seconds, so it is noted nowhere but in the outbox."""
    settle_debts(handlers=HANDLERS, clock=timezone.now)


@shared_task(name="review_new")
def review_new() -> None:
    """Look at new redemptions by the rules, three times a minute; what they open is noted in the audit."""
    review.review_new(by="rules", clock=timezone.now)


def export_books(payload: dict[str, Any]) -> None:
    """A month was locked: its books go to disk, where auditors take them."""
    nightly.noted("export_books", lambda: nightly.printed("export_books", BOOKS))


def job(payload: dict[str, Any]) -> None:
    """One stage of what somebody started from a page (marketplace/jobs)."""
    jobs.work(payload, clock=timezone.now)


HANDLERS = {"export_books": export_books, jobs.TOPIC: job, messages.TOPIC: messages.send}

BEAT = {
    "publish the catalogue": {"task": "publish_catalogue", "schedule": crontab(hour=0, minute=5)},
    "place what is ordered again and again": {
        "task": "place_standing",
        "schedule": crontab(hour=0, minute=20),  # after the issue: new vouchers are there
    },
    "bring orders up to what happened": {"task": "tidy_orders", "schedule": crontab(minute=40)},
    "issue three days ahead": {"task": "issue_ahead", "schedule": crontab(hour=0, minute=10)},
    "expire what can no longer be reported": {
        "task": "expire_reported",
        "schedule": crontab(hour=1, minute=0),
    },
    "confirm what nobody objected to": {
        "task": "deem_silent_confirmed",
        "schedule": crontab(hour=1, minute=15),
    },
    "lock months that are complete": {"task": "lock_complete_months", "schedule": crontab(hour=1, minute=30)},
    "tell what was spent": {"task": "tell_spent", "schedule": 120.0},
    "tell what ends soon": {"task": "tell_expiring", "schedule": crontab(hour=9, minute=0)},
    "clear what is past its term": {"task": "clear_past_terms", "schedule": crontab(hour=2, minute=30)},
    "prove the ledger": {"task": "verify_ledger", "schedule": crontab(hour=2, minute=0)},
    "seal the journal": {"task": "seal_entries", "schedule": crontab(hour=1, minute=50)},
    "check the books": {"task": "check_books", "schedule": crontab(hour=3, minute=0)},
    "count vouchers for the overview": {"task": "take_snapshot", "schedule": 300.0},
    "do what is owed": {"task": "settle_debts", "schedule": 3.0},
    "look at new redemptions": {"task": "review_new", "schedule": 20.0},
}
