"""One log line per event, on standard error and in a file of the day, without personal data.

The files lie in DATA_DIR/logs, where what is past its term is removed (marketplace/privacy/retention.py). Requests to
pages are in them alone: by route, never by address, since an address may be a secret (marketplace/web/request_log.py).

The processor `redact` stands last before rendering, so that it also sees tracebacks and messages of
libraries. It is a net under the rule, not the rule: nothing personal is logged in the first place.
"""

import contextlib
import logging
import os
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

PERSONAL_FIELDS = {"name", "id_number", "phone", "address", "password", "pin", "token", "secret"}
HIDDEN = "[hidden]"
# A resident ID, also with spaces or dashes between its parts, or in full-width digits; then a mobile phone.
_ID = re.compile(r"(?<!\d)\d{6}[ -]?(?:1[89]|20)\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?\d{3}[\dXxＸｘ](?!\d)")
_PHONE = re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")
# What PostgreSQL adds to a refusal: "Failing row contains (...)", names and all.
_ROW = re.compile(r"(DETAIL:\s).*?(?=\n\n|\n[A-Z]+:|\Z)", re.DOTALL)


def hide(text: str) -> str:
    return _PHONE.sub(HIDDEN, _ID.sub(HIDDEN, _ROW.sub(rf"\1{HIDDEN}", text)))


def redact(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    return {key: HIDDEN if key in PERSONAL_FIELDS else _hidden(value) for key, value in event.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return redact(None, "", value)
    if isinstance(value, list | tuple):
        return [_hidden(part) for part in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return hide(str(value)) if hide(str(value)) != str(value) else value
    return value


class DailyFile(logging.Handler):
    """Appends to yiquan-2026-11-22.log of the day in Shanghai, readable by its owner alone.

    Several processes write to it: a line is one write to a file opened for appending, which the kernel puts whole at
    its end. Nothing is renamed, so that no process goes on writing to yesterday's. Opened with the first line.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory, self.day, self.file = directory, date.min, -1

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = f"{self.format(record).rstrip()}\n".encode(errors="replace")
            os.write(self._of(datetime.now(ZoneInfo("Asia/Shanghai")).date()), line)
        except OSError:
            self.handleError(record)

    def _of(self, day: date) -> int:
        if day != self.day:
            self._close()
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self.directory / f"yiquan-{day}.log"
            self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self.day = day
        return self.file

    def _close(self) -> None:
        if self.file >= 0:
            with contextlib.suppress(OSError):
                os.close(self.file)
        self.day, self.file = date.min, -1

    def close(self) -> None:
        with self.lock or contextlib.nullcontext():
            self._close()
        super().close()


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
]


def configure(*, json: bool, directory: Path) -> dict[str, Any]:
    """Set structlog up and return Django's LOGGING; both end in the same handlers."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "event": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.StackInfoRenderer(),
                    structlog.processors.format_exc_info,
                    redact,
                    renderer,
                ],
            }
        },
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "event"},
            "file": {"()": DailyFile, "directory": directory, "formatter": "event"},
        },
        "root": {"handlers": ["stderr", "file"], "level": "INFO"},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "level": "INFO", "propagate": True},
            "requests": {"handlers": ["file"], "level": "INFO", "propagate": False},
            # A refused or mistyped address is no event of ours; errors (5xx) are.
            "django.request": {"level": "ERROR"},
            "axes": {"level": "WARNING"},
            # Tasks note their outcome in the database; one runs every few seconds.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "django_celery_beat": {"level": "WARNING"},
            "fontTools": {"level": "WARNING"},
        },
    }
