"""What the log hides."""

import logging
import subprocess
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client

from marketplace.config.logs import HIDDEN, DailyFile, hide


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
    both = [handler.formatter for handler in logging.getLogger().handlers[-2:]]
    assert both[0] is not None and type(both[0]) is type(both[1]), "the file hides what the screen hides"
    formatter = both[1]
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


def test_the_row_that_postgresql_refused_is_hidden():
    said = "CheckViolation: new row violates x\nDETAIL:  Failing row contains (43, 文元文,\n1962).\nCONTEXT: here\n\nMore"
    assert hide(said) == f"CheckViolation: new row violates x\nDETAIL: {HIDDEN}\nCONTEXT: here\n\nMore"


def test_control_without_the_processor_they_would_show():
    record = logging.makeLogRecord({"msg": "could not save %s", "args": ("43029819450101001X",)})
    assert "43029819450101001X" in logging.Formatter().format(record)


# The file of the day

WRITER = """
import logging, sys
from pathlib import Path
from marketplace.config.logs import DailyFile
log = logging.getLogger("w")
log.addHandler(DailyFile(Path(sys.argv[1])))
for n in range(300):
    log.error("%s %03d %s", sys.argv[2], n, "x" * 300)
"""


def test_several_processes_write_whole_lines_into_the_file_of_the_day(tmp_path):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name], cwd=settings.BASE_DIR)
        for name in "abc"
    ]
    assert [one.wait(60) for one in writers] == [0, 0, 0]
    (file,) = tmp_path.iterdir()
    assert file.name == f"yiquan-{datetime.now(ZoneInfo('Asia/Shanghai')):%Y-%m-%d}.log"
    assert file.stat().st_mode & 0o077 == 0
    lines = file.read_text().splitlines()
    assert len(lines) == 900 and {len(line) for line in lines} == {306}
    for name in "abc":
        assert [int(line[2:5]) for line in lines if line[0] == name] == list(range(300))


def test_a_new_day_begins_a_new_file(tmp_path, monkeypatch):
    handler = DailyFile(tmp_path)
    for day in (21, 22):
        moment = datetime(2026, 11, day, 23, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
        monkeypatch.setattr(
            "marketplace.config.logs.datetime", type("Clock", (), {"now": lambda zone, at=moment: at})
        )
        handler.emit(logging.makeLogRecord({"msg": f"on {day}"}))
    handler.close()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "yiquan-2026-11-21.log": "on 21\n",
        "yiquan-2026-11-22.log": "on 22\n",
    }


def test_a_request_is_logged_by_its_route_without_what_stood_in_it(db):
    handler = logging.getLogger("requests").handlers[0]
    told: list[str] = []
    logger = logging.getLogger("requests")
    catch = logging.Handler()
    catch.emit = lambda record: told.append(handler.formatter.format(record))  # type: ignore[method-assign]
    logger.addHandler(catch)
    try:
        Client().get("/happy/a-secret-in-an-address/?q=李桂兰&phone=19900012345")
        Client().get("/healthz")
    finally:
        logger.removeHandler(catch)
    (line,) = told
    assert "happy/<str:code>/" in line and "404" in line and "127.0.0.1" in line
    assert not [part for part in ("secret", "李桂兰", "1990001") if part in line]
    assert logger.propagate is False, "not on the screen"
