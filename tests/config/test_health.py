"""What machines ask: is it alive, is it ready."""

import pytest
from django.conf import settings

from marketplace.config import embedded
from marketplace.config.celery import app
from tests import databases


@pytest.fixture
def broker():
    with embedded.servers(settings.DATA_DIR, postgres=False, valkey=True):
        yield


def test_alive_without_asking_anybody(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_ready_when_database_and_broker_answer(db, client, broker):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "broker": "ok"})


@pytest.mark.error_logs("django.request")
def test_not_ready_without_the_broker(db, client, monkeypatch, tmp_path):
    app.pool.force_close_all()
    monkeypatch.setattr(app.conf, "broker_read_url", f"redis+socket://{tmp_path}/nobody")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": "ok", "broker": "unavailable"})


@pytest.mark.error_logs("django.request")
def test_not_ready_without_the_database(fresh_db, client, broker):
    with databases.pointed_at("no_such_database"):
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": "unavailable", "broker": "ok"})
