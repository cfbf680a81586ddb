"""Waking a worker at once. Without this a job waits for beat, a few seconds."""

import logging

logger = logging.getLogger(__name__)


def wake_worker() -> None:
    """This function will ask for what is owed to be done now. A broker that is down only means: later."""
    from marketplace.config.celery import app

    try:
        app.send_task("settle_debts", retry=False, ignore_result=True)
    except Exception as error:  # whatever the broker's client raises: the outbox keeps what is owed
        logger.info("no broker to wake a worker by: %s", type(error).__name__)
