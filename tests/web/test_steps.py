"""Maker and checker over HTTP (strength.md 11): what the pages let whom do, and what they say when they do not."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from marketplace.accounts.models import User
from marketplace.jobs import operations as jobs
from marketplace.jobs.models import Job
from tests import story
from tests.story import JANUARY, moment
from tests.vouchers.test_settlement_people import AT, LEGAL, PATH, STEPS, ground, more, now, until
from vouchers.models import Approval, Objection, Statement
from vouchers.proof.queries import prove
from vouchers.settlement.operations import close_month

STEP = "/statements/LS01/2026-01/step/"
SENTENCES = {
    "wrong_step": "does not wait for this step",
    "same_person": "Nobody may do two",
    "changed": "What has changed since you looked",
    "objection": "waits for an answer",
}


@pytest.fixture
def drawn(db) -> None:
    ground()


def client(name: str) -> Client:
    one = Client(headers={"accept-language": "en"})
    one.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
    return one


def seen_by(name: str, url: str = STEP) -> str:
    """The digest on the form that this person is shown; empty when there is no form."""
    found = re.search(r'name="seen" value="(\w+)"', client(name).get(url).content.decode())
    return found[1] if found else ""


def press(name: str, seen: str, url: str = STEP):
    return client(name).post(url, {"seen": seen})


def test_the_legal_path(drawn):
    """The control of everything here: three people look and press."""
    for which in STEPS:
        name = PATH[which]
        response = press(name, seen_by(name))
        assert response.status_code == 302 and response.url == "/statements/LS01/2026-01/", which
    assert now().state == Statement.State.APPROVED
    assert {one.step: one.by.username for one in Approval.objects.filter(statement=now())} == PATH
    page = client("auditor").get("/statements/LS01/2026-01/").content.decode()
    assert all(name in page for name in PATH.values())
    assert not [one for one in prove() if one.violations]


@pytest.mark.parametrize("which", STEPS)
def test_only_the_legal_people_get_through_at_each_step(drawn, which):
    until(which)
    before = Approval.objects.count()
    for name in User.objects.order_by("id").values_list("username", flat=True):
        if name in LEGAL[which]:
            continue
        did = Approval.objects.filter(statement=now(), by__username=name).exists()
        response = press(name, now().digest)
        # who confirmed before presses once more for nothing: done is done
        assert response.status_code in ((302,) if did else (403, 404, 409)), (name, response.status_code)
        assert Approval.objects.count() == before, name
    name = PATH[which]
    assert press(name, seen_by(name)).status_code == 302  # control
    assert Approval.objects.count() == before + 1


def test_a_press_without_having_looked_is_refused(drawn):
    for seen in ("", "-", "0" * 64):
        response = press("manager-op01", seen)
        assert response.status_code == 409 and now().state == Statement.State.DRAFT
    assert press("manager-op01", seen_by("manager-op01")).status_code == 302


def test_what_changed_is_shown_and_must_be_looked_at_again(drawn):
    until("approve")
    seen = seen_by("approver")
    more()
    response = press("approver", seen)
    text = response.content.decode()
    assert response.status_code == 409 and SENTENCES["changed"] in text
    table = text[text.index(SENTENCES["changed"]) : text.index("Look at the figures")]
    assert "36.00" in table and "48.00" in table and "Cash due" in table and "Rent charged" not in table
    assert now().state == Statement.State.DRAFT and now().round == 2
    assert press("approver", seen).status_code == 409  # the steps start over
    assert press("manager-op01", seen).status_code == 409  # an old page of the first step
    assert press("manager-op01", seen_by("manager-op01")).status_code == 302


def test_a_page_that_was_open_while_the_month_was_drawn_up_again(drawn):
    seen = seen_by("manager-op01")
    more()
    close_month(month=JANUARY, by="test", at=moment(AT))
    response = press("manager-op01", seen)
    assert response.status_code == 409 and SENTENCES["changed"] in response.content.decode()


def test_the_same_person_with_another_role_is_told_so(drawn):
    until("review")
    first = Approval.objects.get(statement=now()).by
    User.objects.filter(pk=first.pk).update(role="street_officer", operator=None)
    page = client(first.username).get(STEP).content.decode()
    assert SENTENCES["same_person"] in page and 'name="seen"' not in page
    assert press(first.username, now().digest).status_code == 409
    assert press("officer-east", seen_by("officer-east")).status_code == 302  # control


def test_a_role_taken_away_between_looking_and_pressing(drawn):
    until("approve")
    seen = seen_by("approver")
    User.objects.filter(username="approver").update(role="auditor")
    assert press("approver", seen).status_code == 403
    User.objects.filter(username="approver").update(role="bureau_approver")
    assert press("approver", seen).status_code == 302


def test_a_second_press_does_nothing_more(drawn):
    seen = seen_by("manager-op01")
    assert press("manager-op01", seen).status_code == 302
    assert press("manager-op01", seen).status_code == 302  # a double click: done is done
    assert now().approvals.count() == 1


# Many at once


def take_all(name: str, *, without: tuple[str, ...] = (), go: bool = True):
    """What waits for this person: all chosen but some, checked, and done by a worker."""
    page = client(name).get(reverse("steps")).content.decode()
    offered = re.findall(r'name="take" value="((\d+):\w+)"', page)
    out = {str(story.statement(code, JANUARY).pk) for code in without}
    data = {"take": [one for one, number in offered if number not in out]}
    checked = client(name).post(reverse("steps"), data)
    if not go:
        return checked
    return client(name).post(reverse("steps"), {**data, "go": "1"})


def worked(response) -> Job:
    job = Job.objects.get(pk=int(response.url.strip("/").split("/")[-1]))
    jobs.work({"job": job.pk, "stage": "do"}, clock=lambda: moment(AT))
    job.refresh_from_db()
    return job


def test_many_are_taken_with_the_exceptions_left_out(drawn):
    checked = take_all("clerk", without=("LS02",), go=False)
    text = checked.content.decode()
    assert "Taken out, still to do" in text and text.count('name="take"') == 2
    assert not Approval.objects.exists()  # checking does nothing
    assert worked(take_all("clerk", without=("LS02",))).result["counts"] == {"taken": 2, "refused": 0}
    states = dict(Statement.objects.values_list("lease__code", "state"))
    assert states == {"LS01": "confirmed", "LS02": "draft", "LS03": "confirmed"}
    assert worked(take_all("officer-east")).result["counts"]["taken"] == 2  # LS02 lies in the west
    assert worked(take_all("approver")).result == {"counts": {"taken": 2, "refused": 0}, "locked": False}
    for name in ("manager-op02", "officer-west"):
        worked(take_all(name))
    assert worked(take_all("approver")).result["locked"]


def test_one_that_changed_while_it_was_chosen_is_listed_and_left_out(drawn):
    response = take_all("clerk")
    more()
    job = worked(response)
    assert job.result["counts"] == {"taken": 2, "refused": 1}
    assert list(job.lines.values_list("about", "word")) == [("LS01 2026-01", "statement_changed")]
    page = client("clerk").get(response.url).content.decode()
    assert "Figures have changed" in page and "LS01 2026-01" in page
    assert client("officer").get(response.url).status_code == 404  # another person's job


def test_nothing_chosen_is_said(drawn):
    response = client("clerk").post(reverse("steps"), {"go": "1"})
    assert response.status_code == 422 and "Nothing is chosen" in response.content.decode()
    assert not Job.objects.exists()


def test_the_list_asks_the_same_for_few_and_many(drawn, django_assert_max_num_queries):
    one = client("officer-east")
    one.get(reverse("steps"))
    with django_assert_max_num_queries(8):
        one.get(reverse("steps"))


# Objections


def test_an_objection_and_its_answer_from_the_pages(drawn):
    url = reverse("objections", args=["LS01", JANUARY])
    manager, clerk = client("manager-op01"), client("clerk")
    wrong = manager.post(url, {"figure": "earned", "redemption": "12", "text": ""})
    assert wrong.status_code == 422 and "Write the number as it stands" in wrong.content.decode()
    number = story.redeemed("zhang").number
    said = {"figure": "earned", "redemption": number.lower(), "text": "张 was not served that day"}
    assert manager.post(url, said).status_code == 302
    assert manager.post(url, said).status_code == 409  # said before
    one = Objection.objects.get()
    assert (one.redemption.number, one.digest) == (number, now().digest)
    assert SENTENCES["objection"] in client("manager-op01").get(STEP).content.decode()
    assert press("manager-op01", now().digest).status_code == 409
    assert client("manager-op02").get(url).status_code == 404
    answer = {"objection": one.pk, f"o{one.pk}-answer": "declined", f"o{one.pk}-reply": ""}
    assert clerk.post(url, answer).status_code == 422
    assert client("officer").post(url, {**answer, f"o{one.pk}-reply": "no"}).status_code == 409
    assert clerk.post(url, {**answer, f"o{one.pk}-reply": "the signature is there"}).status_code == 302
    assert "the signature is there" in manager.get(url).content.decode()
    assert press("manager-op01", seen_by("manager-op01")).status_code == 302


def test_an_operator_withdraws_its_own(drawn):
    url = reverse("objections", args=["LS01", JANUARY])
    client("manager-op01").post(url, {"figure": "charge", "text": "rent is too high"})
    one = Objection.objects.get()
    assert client("manager-op01").post(url, {"objection": one.pk, "answer": "withdrawn"}).status_code == 302
    one.refresh_from_db()
    assert one.answer == "withdrawn"
