"""What the log hides."""

import logging

import pytest
from django.conf import settings

from marketplace.config.logs import HIDDEN, hide


@pytest.mark.parametrize(
    "personal",
    [
        "430298194501010010",
        "43029819450101001X",
        "430298 19450101 001x",
        "19900012345",
        "199 0001 2345",
        "+8619900012345",
    ],
)
def test_ids_and_phones_are_hidden(personal):
    assert hide(f"key ({personal}) exists") == f"key ({HIDDEN}) exists"


@pytest.mark.parametrize(
    "harmless", ["RD-2026-000123", "2026-07-01 12:30:00", "12345.67", "LS001", "1234567890123456789012"]
)
def test_numbers_of_ours_stay(harmless):
    assert hide(harmless) == harmless


def formatted(**record) -> str:
    import logging.config

    logging.config.dictConfig(settings.LOGGING)
    formatter = logging.getLogger().handlers[0].formatter
    return formatter.format(
        logging.makeLogRecord({"name": "x", "levelname": "ERROR", "levelno": 40, **record})
    )


def test_a_library_s_message_and_its_traceback_are_hidden():
    try:
        raise ValueError("elder 430298194501010010 called from 19900012345")
    except ValueError as error:
        text = formatted(
            msg="could not save %s",
            args=("43029819450101001X",),
            exc_info=(type(error), error, error.__traceback__),
        )
    assert "ValueError" in text and "could not save" in text
    assert not [part for part in ("430298", "19900012345") if part in text]


def test_control_without_the_processor_they_would_show():
    record = logging.makeLogRecord({"msg": "could not save %s", "args": ("43029819450101001X",)})
    assert "43029819450101001X" in logging.Formatter().format(record)
