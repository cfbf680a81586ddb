"""Letters to those who owe rent: first, second, third; once a day whoever presses; by the page as one PDF."""

from datetime import date

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger.models import Record
from providers.leases import suspense
from providers.leases.arrears import arrears
from providers.models import Receipt, Reminder, ReminderLine, ReminderRun
from providers.reminders.operations import CannotRemind, digest, drafts, remind
from tests import story, threads
from tests.handed_out import words_of
from tests.story import MARCH, bank_line, day, moment
from vouchers.models import Elder

FIRST, SECOND, THIRD = 1, 2, 3


def declined() -> None:
    """What would pay LS03's January is declined: two leases owe rent."""
    proposed = Receipt.objects.get(state="proposed")
    suspense.decline(receipt=proposed, by=story.user_named("clerk"), at=moment("2026-04-01"))


def send(on: str, *codes: str, by: str = "clerk") -> ReminderRun:
    """The letters that are due on a day, to these leases or all, as somebody looked at them."""
    found = drafts(day(on), of=codes or None)
    return remind(seen={one.lease: digest(one) for one in found}, by=story.user_named(by), at=moment(on))


def refused(on: str, *codes: str, by: str = "clerk") -> str:
    with pytest.raises(CannotRemind) as refusal:
        send(on, *codes, by=by)
    return refusal.value.code


def told(run: ReminderRun) -> dict[str, tuple[int, list[date]]]:
    """Grade and months by lease."""
    return {
        one.lease.code: (one.grade, [line.month for line in one.lines.all()]) for one in run.letters.all()
    }


def test_the_oldest_open_month_tells_which_letter_is_next(story_db):
    declined()
    owed = {one.lease: [due.month for due in one.dues] for one in arrears(day("2026-04-02"))}
    assert set(owed) == {"LS01", "LS03"}
    first = send("2026-04-02")
    assert told(first) == {code: (FIRST, months) for code, months in owed.items()}
    letter = first.letters.get(lease__code="LS01")
    assert (letter.number, letter.pay_until) == ("CJ-LS01-20260402", day("2026-04-17"))
    assert letter.amount == sum(line.amount for line in letter.lines.all())
    assert letter.content["before"] is None
    # Twice on one day: the same letters. Within the term: none. After it: the second, then the third, and again.
    assert send("2026-04-02") == first and Reminder.objects.count() == len(owed)
    assert refused("2026-04-17") == "term_runs"
    second = send("2026-04-18", "LS01")
    assert told(second)["LS01"][0] == SECOND
    assert second.letters.get().content["before"] == ["CJ-LS01-20260402", "2026-04-02"]
    assert told(send("2026-05-04", "LS01"))["LS01"][0] == THIRD
    assert told(send("2026-05-20", "LS01"))["LS01"][0] == THIRD
    # What was paid is asked for no more; a new debt begins with the first letter.
    story.bank(bank_line("2026-05-21 09:00", letter.amount, summary="LS01"), at="2026-05-21")
    assert refused("2026-06-06", "LS01") == "nobody"
    for which, name in (("review", "officer"), ("approve", "approver")):
        story.step("LS01", MARCH, which, name, at="2026-06-06 10:00")
    assert told(send("2026-06-07", "LS01"))["LS01"] == (FIRST, [MARCH])
    actions = Record.objects.filter(action="remind", by="clerk")
    assert actions.count() == 5 and actions.latest("id").detail == {
        "LS01": [1, str(Reminder.objects.get(number="CJ-LS01-20260607").amount)]
    }


def test_who_may_what_moved_and_two_at_once(story_db):
    declined()
    assert refused("2026-04-02", by="approver") == "wrong_role"
    found = drafts(day("2026-04-02"))
    seen = {one.lease: digest(one) for one in found}
    by = {"by": story.user_named("clerk"), "at": moment("2026-04-02")}
    for wrong, code in (({}, "nobody"), ({"LS99": "x"}, "nobody"), ({**seen, "LS01": "x"}, "changed")):
        with pytest.raises(CannotRemind) as refusal:
            remind(seen=wrong, **by)
        assert refusal.value.code == code
    story.bank(bank_line("2026-04-02 08:00", 1, summary="LS01"), at="2026-04-02")
    with pytest.raises(CannotRemind) as refusal:
        remind(seen=seen, **by)
    assert refusal.value.code == "changed" and not Reminder.objects.exists()
    story.user("clerk-2", "bureau_clerk")
    answers = threads.at_once([lambda n=n: send("2026-04-02", by=n) for n in ("clerk", "clerk-2") * 2])
    assert len({one.pk for one in answers}) == ReminderRun.objects.count() == 1
    assert Reminder.objects.count() == len(found)
    for model in (Reminder, ReminderLine, ReminderRun):
        rows = model.objects.all()
        for attack in (lambda rows=rows: rows._raw_delete("default"), lambda rows=rows: rows.update(id=0)):
            with pytest.raises(Exception, match=r"permission denied|written once"), transaction.atomic():
                attack()


def client(name: str) -> Client:
    one = Client(headers={"accept-language": "en"})
    one.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
    return one


def test_a_clerk_chooses_looks_and_sends_and_the_lease_shows_it(story_db):
    """By the clock: everything that the story left open is old by now."""
    declined()
    clerk, url = client("clerk"), reverse("bureau:reminders")
    shown = clerk.get(url, {"over": "90"}).context["drafts"]
    take = {"take": [f"{one.lease}:{seen}" for one, _lease, _ticked, seen in shown]}
    assert take["take"] and all(ticked for *_rest, ticked, _seen in shown)
    assert client("approver").post(url, {**take, "do": "send"}).status_code == 403
    draft = clerk.post(url, {**take, "do": "look"})
    words = words_of(draft.content)
    assert not Reminder.objects.exists() and "Draft, not sent" in words
    assert clerk.post(url, {"take": ["LS01:old"], "do": "send"}).status_code == 409
    assert clerk.post(url, {"do": "send"}).status_code == 409  # nobody chosen
    assert clerk.post(url, {**take, "do": "send"}).status_code == 302
    assert clerk.post(url, {**take, "do": "send"}).status_code == 302  # pressed twice: the same letters
    run = ReminderRun.objects.get()
    assert run.letters.count() == len(shown)
    words = words_of(clerk.get(reverse("bureau:reminders_pdf", args=[run.pk])).content)
    for one in run.letters.all():
        assert one.number in words and f"{one.amount:,.2f}" in words, one.number
    assert not any(
        secret and secret in words
        for elder in Elder.objects.all()
        for secret in (elder.name, elder.phone(), elder.id_number())
    )
    page = clerk.get(url, {"over": "0"}).content.decode()
    assert "sent, its term runs" in page and "letters as one PDF" in page
    letter = run.letters.get(lease__code="LS01")
    lease = client("auditor").get(reverse("registers:lease", args=["LS01"])).content.decode()
    assert letter.number in lease and "first reminder" in lease
    alone = words_of(clerk.get(reverse("bureau:reminder_pdf", args=[letter.number])).content)
    assert "LS03" not in alone and letter.number in alone
    assert clerk.get(url, {"lease": "LS01"}).context["drafts"][0][0].term_runs
    assert clerk.get(url, {"lease": "LS99"}).status_code == 404
    assert letter.dated_on == timezone.localdate()
    # Paid by then, or not: what was sent stays as it was.
    story.bank(bank_line("2026-04-05 09:00", letter.amount, summary="LS01"), at="2026-04-06")
    assert Reminder.objects.get(pk=letter.pk).amount == letter.amount
