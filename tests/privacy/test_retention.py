"""What is past its term goes, what is not stays, and logs are never cut short."""

from datetime import timedelta
from pathlib import Path

import pytest
from axes.models import AccessLog
from django.contrib.sessions.models import Session
from django.test import override_settings

from ledger.models import Record
from marketplace.config import environment
from marketplace.messages.models import Message
from marketplace.messages.operations import tell
from marketplace.models import Clearing, ElderBasket, NightlyRun, WorkOrder
from marketplace.privacy import retention
from marketplace.privacy.retention import KINDS, SIX_MONTHS, clear_all, latest, terms_are_lawful
from tests.privacy.ground import Lives
from tests.shop.ground import NOW
from vouchers.delegates import operations as delegates
from vouchers.models import Delegation, Photo, VisitReport

TERMS = {kind.name: kind.days for kind in KINDS if kind.days}


def held() -> dict[str, int]:
    return {
        "messages": Message.objects.exclude(facts_sealed=b"").filter(phone_sealed=None).count(),
        "numbers": Message.objects.filter(phone_sealed__isnull=False).count(),
        "addresses": WorkOrder.objects.filter(address_sealed__isnull=False).count(),
        "places": VisitReport.objects.filter(latitude__isnull=False).count(),
        "visit_photos": Photo.objects.exclude(sealed=b"").count(),
        "baskets": ElderBasket.objects.filter(basket__status="Open").count(),
        "names": Delegation.objects.exclude(name_sealed=b"").count(),
        "sessions": Session.objects.count(),
        "sign_ins": AccessLog.objects.count(),
        "nightly_runs": NightlyRun.objects.count(),
        "process_logs": len(list(Path(retention.settings.LOG_DIR).glob("*.log"))),
    }


def test_each_kind_goes_on_the_day_after_its_term_and_not_before(db, tmp_path):
    with override_settings(LOG_DIR=tmp_path):
        lives = Lives()
        tell(kind="sign_in_code", phone="13800000066", at=NOW, code="123456", minutes="10")
        Message.objects.update(outcome="sent", secret_sealed=None, sent_at=NOW, created_at=NOW)
        delegates.end(delegation=lives.letter, by=lives.own, at=NOW)
        lives.basket((lives.lunch, NOW))
        type(ElderBasket.objects.latest("pk").basket).objects.update(date_created=NOW)
        WorkOrder.objects.update(closed_at=NOW)
        Session.objects.create(session_key="old", expire_date=NOW)
        AccessLog.objects.create(username="clerk", ip_address="10.0.0.1")
        AccessLog.objects.update(attempt_time=NOW)
        NightlyRun.objects.create(task="issue_ahead", started_at=NOW, ended_at=NOW, outcome="done")
        (tmp_path / f"yiquan-{NOW:%Y-%m-%d}.log").write_text("a day\n")
        (tmp_path / "yiquan-notes.log").write_text("somebody else's\n")
        began = held()
        assert all(began.values()), began
        # The photo and the place were taken a day later.
        late = {"visit_photos", "places", "process_logs"}
        for name in sorted(began):
            assert held()[name] == began[name], f"{name} went before its term"
            at = NOW + timedelta(days=TERMS[name], hours=-1)
            kind = next(kind for kind in KINDS if kind.name == name)
            retention.clear(kind=kind, at=at)
            assert held()[name] == began[name], f"{name} went before its term"
            row = retention.clear(kind=kind, at=at + timedelta(days=2 if name in late else 0, hours=2))
            assert row.cleared > 0 and held()[name] < began[name], name
            assert retention.clear(kind=kind, at=row.at).cleared == 0, "run again it finds nothing"
        assert (tmp_path / "yiquan-notes.log").exists()
        told = set(Record.objects.filter(action="clear").values_list("subject", flat=True))
        assert told == set(began)
        assert (
            Message.objects.filter(kind="record_claimed").first().text(language="en")
            == "The words were removed."
        )
        photo = Photo.objects.get()
        assert photo.picture()[:2] == b"\xff\xd8", "a blank picture stands in its place"
        clear_all(at=NOW + timedelta(days=4000))
        seen = latest()
        assert seen.keys() == {kind.name for kind in KINDS}
        assert seen["audit"].held == Record.objects.count() and seen["audit"].cleared == 0
        assert Clearing.objects.filter(kind="audit", cleared__gt=0).count() == 0


def test_what_a_review_waits_for_is_not_cleared(db):
    Lives()
    report = VisitReport.objects.get(latitude__isnull=False)
    case = report.hold.redemption.review_cases.create(reason="too_far", opened_at=NOW)
    late = NOW + timedelta(days=4000)
    clear_all(at=late)
    assert VisitReport.objects.filter(latitude__isnull=False).exists()
    assert Photo.objects.exclude(sealed=b"").exists()
    type(case).objects.filter(pk=case.pk).update(decision="released", decided_at=NOW, decided_by="clerk")
    clear_all(at=late)
    assert not VisitReport.objects.filter(latitude__isnull=False).exists()
    assert not Photo.objects.exclude(sealed=b"").exists()


def test_logs_cannot_be_kept_for_less_than_six_months(settings):
    assert terms_are_lawful(None) == []
    logs = [kind.name for kind in KINDS if kind.log]
    assert {"sign_ins", "process_logs", "nightly_runs"} <= set(logs)
    for name in logs:
        settings.RETENTION_DAYS = {**settings.RETENTION_DAYS, name: SIX_MONTHS - 1}
        assert [wrong.id for wrong in terms_are_lawful(None)] == ["privacy.E002"]
        settings.RETENTION_DAYS = {**settings.RETENTION_DAYS, name: SIX_MONTHS}
    assert "audit" not in settings.RETENTION_DAYS, "the audit has no term"
    settings.RETENTION_DAYS = {**settings.RETENTION_DAYS, "audit": 10_000}
    assert [wrong.id for wrong in terms_are_lawful(None)] == ["privacy.E001"]


def test_the_environment_changes_terms(monkeypatch):
    monkeypatch.setenv("RETENTION_DAYS", "messages=180, addresses=90")
    assert environment.days("RETENTION_DAYS") == {"messages": 180, "addresses": 90}
    for wrong in ("messages", "messages=", "messages=-1", "messages=soon"):
        monkeypatch.setenv("RETENTION_DAYS", wrong)
        with pytest.raises(environment.Misconfigured):
            environment.days("RETENTION_DAYS")
