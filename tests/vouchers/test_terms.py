"""Terms kept in memory follow every change, and nothing that was rolled back stays in them."""

from django.db import connection, transaction

from providers.models import Lease, Operator, TermsVersion
from tests import story
from vouchers.redemption import terms


class Undone(Exception):
    """What a test throws to have its transaction rolled back."""


def version() -> int:
    return TermsVersion.objects.get().version


def undone(do) -> None:
    try:
        with transaction.atomic():
            do()
            raise Undone
    except Undone:
        pass


def test_kept_until_a_change(fresh_db):
    story.town()
    first = terms.current()
    assert terms.current() is first is terms.kept()
    Operator.objects.filter(code="OP01").update(phone="1")
    assert terms.current() is not first


def test_a_change_rolled_back_is_not_mistaken_for_the_next_one(fresh_db):
    story.town()
    terms.current()
    before = version()

    def end_early():
        Lease.objects.filter(code="LS01").update(ends_on=story.day("2026-01-31"))
        assert terms.current().premises["PM01"].lease_on(story.day("2026-02-01")) is None

    undone(end_early)
    assert version() == before
    assert terms.current().premises["PM01"].lease_on(story.day("2026-02-01"))
    Lease.objects.filter(code="LS02").update(
        ends_on=story.day("2026-01-31")
    )  # the next change: another number
    assert terms.current().premises["PM01"].lease_on(story.day("2026-02-01"))
    assert terms.current().premises["PM02"].lease_on(story.day("2026-02-01")) is None


def test_accounts_opened_in_a_transaction_that_failed_are_opened_again(fresh_db):
    """As at a checkout: the first reading of a programme's terms happens inside what is rolled back then."""
    story.town()
    story.issue_on("2026-01-01")
    terms._kept.clear()
    undone(lambda: story.redeem("li", "LI", "MEAL", "PM01", "2026-01-05 11:30"))
    assert story.redeem("li", "LI", "MEAL", "PM01", "2026-01-05 11:30").split.vouchers == 12


def test_control_terms_that_forget_the_rollback_fail(fresh_db, monkeypatch):
    monkeypatch.setattr(terms.Terms, "stand", lambda self: True)
    story.town()
    story.issue_on("2026-01-01")
    terms._kept.clear()
    undone(lambda: story.redeem("li", "LI", "MEAL", "PM01", "2026-01-05 11:30"))
    try:
        story.redeem("li", "LI", "MEAL", "PM01", "2026-01-05 11:30")
    except Exception as error:
        assert "ledger_account" in str(error)
    else:
        raise AssertionError("the accounts of a transaction that failed were used")


def test_within_a_transaction_terms_are_read_once(fresh_db):
    story.town()
    terms._kept.clear()
    with transaction.atomic():
        first = terms.current()
        assert terms.current() is first
    assert terms.current() is first and first.committed
    assert connection.run_on_commit == []
