"""`/healthz`: the process is alive. `/readyz`: database and broker answer. For machines, without sign-in."""

import logging

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from marketplace.config.celery import app

log = logging.getLogger(__name__)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    found = {"database": _answers(_ask_database, "database"), "broker": _answers(_ask_broker, "broker")}
    ready = all(found.values())
    body = {part: "ok" if fine else "unavailable" for part, fine in found.items()}
    return JsonResponse(body, status=200 if ready else 503)


def _answers(ask, part: str) -> bool:
    try:
        ask()
    except Exception as error:  # whatever is wrong, the answer is "not ready"; the reason is for the log
        log.warning("%s does not answer: %s", part, type(error).__name__)
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_broker() -> None:
    with app.connection_for_read() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        broker.default_channel.client.ping()
