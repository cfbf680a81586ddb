"""The nightly tasks: whoever answers for the system sees what failed, and the bureau before it approves."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from marketplace import tasks
from marketplace.nightly.models import NightlyRun
from marketplace.nightly.operations import noted
from marketplace.nightly.queries import PROOFS, TASKS, unproved


def test_every_task_that_is_noted_stands_on_the_page():
    source = Path(tasks.__file__).read_text()
    assert sorted(re.findall(r'noted\("(\w+)"', source)) == sorted(task.name for task in TASKS)
    beaten = {one["task"] for one in tasks.BEAT.values()}
    assert {task.name for task in TASKS if task.every} <= beaten
    assert {task.name for task in TASKS} >= PROOFS


def _run(task, outcome, hours_ago, summary=""):
    began = timezone.now() - timedelta(hours=hours_ago)
    ended = None if outcome == "running" else began + timedelta(minutes=5)
    return NightlyRun.objects.create(
        task=task, outcome=outcome, started_at=began, ended_at=ended, summary=summary
    )


@pytest.mark.error_logs("marketplace")
def test_a_proof_that_failed_is_seen_until_it_succeeds(as_, city):
    def broken():
        raise ValueError("voucher PG01-7 is below zero")

    page, overview = reverse("bureau:nightly"), reverse("bureau:overview")
    sentence = "Not proved last night"
    for task in PROOFS:
        _run(task, "done", 30 if task == "seal_entries" else 5)
    assert [one.task.name for one in unproved(timezone.now())] == ["seal_entries"]  # more than a day ago
    _run("seal_entries", "done", 1)
    assert sentence not in as_("clerk").get(overview).content.decode()
    with pytest.raises(ValueError, match="below zero"):
        noted("verify_ledger", broken)
    for person in ("clerk", "approver", "auditor", "administrator", "security"):
        text = as_(person).get(page).content.decode()
        assert "ValueError: voucher PG01-7 is below zero" in text, person
        first = re.findall(r"/bureau/nightly/(\w+)/", text)[0]
        assert first == "verify_ledger"  # what failed stands first
    for person in ("clerk", "approver", "auditor", "streetclerk"):
        assert sentence in as_(person).get(overview).content.decode(), person
    assert sentence not in as_("street").get(overview).content.decode()
    runs = as_("auditor").get(reverse("bureau:nightly_task", args=["verify_ledger"]), {"outcome": "failed"})
    assert runs.context["listing"].total == 1
    _run("verify_ledger", "running", 0)  # one under way proves nothing yet
    assert sentence in as_("clerk").get(overview).content.decode()
    noted("verify_ledger", lambda: "all proofs hold")
    assert sentence not in as_("clerk").get(overview).content.decode()
    assert as_("clerk").get("/bureau/nightly/nonsense/").status_code == 404
