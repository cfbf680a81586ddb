"""Many at once (strength.md 1, 2, 3 and 5): each voucher spent exactly to its rules, one reversal, no deadlock,
no entry too many. Every protection is taken away once, to see the test fail without it."""

import os
import random
from collections import Counter
from decimal import Decimal

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Sum

from ledger.models import Entry, Transfer
from ledger.wire import Prepared
from tests import databases, story
from tests.story import JANUARY, day, moment
from tests.threads import at_once, shared_out
from vouchers.models import Movement, Redemption, Reversal, Voucher
from vouchers.proof.queries import prove
from vouchers.redemption import operations, statements
from vouchers.redemption.refusals import CannotRedeem
from vouchers.settlement.operations import CannotSettle

LONG = bool(os.environ.get("LONG"))


def violated() -> set[str]:
    return {one.name for one in prove() if one.violations}


def counter(*, vouchers: int = 40) -> None:
    """A canteen whose meal the vouchers alone pay (12 yuan), and Grandma Li with 40 vouchers of 10 yuan."""
    story.town()
    meal = story.service("LUNCH", "canteen", "meal")
    story.price(meal, 12)
    place = story.premises("PM09", story.elder_named("LI").division)
    lease = story.lease("LS09", place, story.operator("OP09", "湖心食堂"))
    story.offer(place, meal)
    story.programme("PX", "offset", lease, face=10, per_elder=vouchers, min_age=60)
    story.issue_on("2026-01-01")


def lunch(key: str) -> operations.Redeemed:
    return story.redeem(key, "LI", "LUNCH", "PM09", "2026-01-05 11:30")


def lunches(many: int) -> list:
    return at_once([lambda n=n: lunch(f"k{n}") for n in range(many)])


def spent_of_li() -> Decimal:
    face = Voucher.objects.filter(programme__code="PX", elder__code="LI").aggregate(
        face=Sum("face_value"), left=Sum("remaining")
    )
    return face["face"] - face["left"]


def test_fifty_at_one_counter_spend_forty_vouchers_to_the_fen(fresh_db):
    counter()
    answers = lunches(50)
    paid = [answer for answer in answers if isinstance(answer, operations.Redeemed)]
    refused = [answer for answer in answers if not isinstance(answer, operations.Redeemed)]
    assert [str(type(answer)) for answer in refused if not isinstance(answer, CannotRedeem)] == []
    assert {answer.code for answer in refused} == {"nothing_spendable"}
    # 400 yuan: 33 lunches of 12 and the last 4 yuan of one more, whose 8 are paid in cash.
    assert len(paid) == 34
    assert sorted(answer.split.vouchers for answer in paid) == [Decimal(4)] + [Decimal(12)] * 33
    assert spent_of_li() == 400
    assert Entry.objects.filter(kind="redemption").count() == len(paid)
    assert violated() == set()


class TestWithoutTheLocks:
    """The same fifty, with the elder's and the vouchers' lock taken out of the statements."""

    @pytest.fixture(autouse=True)
    def no_locks(self, monkeypatch):
        unlocked = Prepared("unlocked", statements.LOCK.source.replace("FOR NO KEY UPDATE", ""))
        monkeypatch.setattr(statements, "LOCK", unlocked)
        monkeypatch.setattr(statements, "READ_LOCKING", statements.READ_ONLY)
        read = statements.lock_and_read

        def slow_read(*transaction, **given):
            context = read(*transaction, **given)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.2)")  # everybody has read before anybody writes
            return context

        monkeypatch.setattr(statements, "lock_and_read", slow_read)

    def test_the_constraint_still_holds(self, fresh_db):
        counter(vouchers=2)
        lunches(12)  # who meets the constraint is judged again, and refused
        assert spent_of_li() == 20
        assert not Voucher.objects.filter(remaining__lt=0).exists()
        assert violated() == set()

    def test_with_both_gone_the_damage_shows(self, fresh_db):
        counter(vouchers=2)
        databases.unprotect(fresh_db)
        lunches(12)
        assert spent_of_li() > 20
        assert violated()


def test_twenty_reversals_at_once_are_one(fresh_db):
    counter()
    lunch("k")
    answers = at_once([lambda: story.reverse("k", "2026-01-06")] * 20)
    assert Counter(type(answer).__name__ for answer in answers) == {"Reversal": 1, "AlreadyReversed": 19}
    assert Reversal.objects.count() == 1
    assert spent_of_li() == 0
    assert violated() == set()


def test_without_its_lock_a_reversal_meets_the_constraints(fresh_db, monkeypatch):
    """Control: the lock is what makes the nineteen polite."""
    from django.db.models import QuerySet

    counter()
    lunch("k")
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self)
    post = operations.post

    def slow_post(**given):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.2)")
        return post(**given)

    monkeypatch.setattr(operations, "post", slow_post)
    answers = at_once([lambda: story.reverse("k", "2026-01-06")] * 5)
    assert any(isinstance(answer, IntegrityError) for answer in answers)
    assert Reversal.objects.count() == 1


def test_opposite_orders_never_wait_in_a_circle(fresh_db):
    """Rounds (fifty of them under LONG=1) of what wants the same elders, vouchers, claims and months, begun in every order."""
    counter()
    story.issue_on("2026-02-01", at="2026-01-20")
    rng = random.Random(17)
    for turn in range(50 if LONG else 15):
        keys = (f"a{turn}", f"b{turn}")
        calls = [
            lambda key=keys[0]: lunch(key),
            lambda key=keys[1]: story.redeem(key, "ZHANG", "LUNCH", "PM09", "2026-01-05 11:30"),
            lambda key=keys[0]: lunch(key),
            lambda turn=turn: story.place(f"o{turn}", "LI", "LUNCH", "PM09", "2026-02-02", "2026-01-20"),
            lambda turn=turn: story.reverse(f"a{turn - 1}", "2026-01-07"),
            lambda: story.expire_on("2026-01-05"),
            lambda: story.issue_on("2026-01-01"),
            lambda: story.draw_up(JANUARY, at="2026-02-05"),
        ]
        rng.shuffle(calls)
        for answer in at_once(calls):
            if isinstance(answer, (CannotRedeem, CannotSettle, operations.AlreadyReversed)):
                continue
            if isinstance(answer, Redemption.DoesNotExist):  # the first turn has nothing to reverse
                continue
            assert not isinstance(answer, BaseException), answer
    assert violated() == set()


def test_the_harness_can_see_a_circle(fresh_db):
    """Control: two transactions that lock two elders in opposite orders do deadlock here."""
    counter()

    def both(first: str, second: str) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for code in (first, second):
                cursor.execute("SELECT id FROM vouchers_elder WHERE code = %s FOR UPDATE", [code])
                cursor.execute("SELECT pg_sleep(0.3)")

    answers = at_once([lambda: both("LI", "ZHANG"), lambda: both("ZHANG", "LI")])
    assert any(
        isinstance(answer, DatabaseError) and isinstance(answer.__cause__, psycopg.errors.DeadlockDetected)
        for answer in answers
    )


def test_deliveries_repeated_changed_and_out_of_order_make_no_entry_too_many(fresh_db):
    """A third of them told again, some with another body, in any order, by four at once."""
    many = 10_000 if LONG else 600
    story.town()
    care = story.service("HOUR", "home_care", "hour")
    story.price(care, 3, government=1)
    place = story.premises("PM09", story.elder_named("LI").division)
    lease = story.lease("LS09", place, story.operator("OP09", "湖心食堂"))
    story.offer(place, care)
    story.programme("PX", "offset", lease, categories=["home_care"], face=10 * many)
    story.issue_on("2026-01-01")
    rng = random.Random(5)
    first = many * 2 // 3
    orders = [
        story.order_of(f"k{n}", rng.choice(["LI", "ZHANG", "WANG"]), "HOUR", "PM09", "2026-01-05 11:30")
        for n in range(first)
    ]
    again = [rng.choice(orders) for _ in range(many - first)]
    changed = {n for n in range(len(again)) if rng.random() < 0.2}
    told = orders + [
        story.order_of(order.key, order.elder, "HOUR", "PM09", "2026-01-05 11:30", quantity=2)
        if n in changed
        else order
        for n, order in enumerate(again)
    ]
    rng.shuffle(told)
    answers = shared_out(
        [
            lambda order=order: operations.redeem(order=order, by="test", at=moment("2026-01-05 12:00"))
            for order in told
        ],
        threads=4,
    )
    receipts: dict[tuple[str, int], set] = {}
    for order, answer in zip(told, answers, strict=True):
        if isinstance(answer, operations.Redeemed):
            receipts.setdefault((order.key, order.quantity), set()).add((answer.number, answer.split))
        else:
            assert isinstance(answer, CannotRedeem), answer
            assert answer.code == "key_reused"
    # Each key is one redemption, whichever body came first, and all that told it so got the same receipt.
    assert all(len(told_of_it) == 1 for told_of_it in receipts.values())
    assert len({key for key, _quantity in receipts}) == len(receipts) == first
    assert Redemption.objects.count() == Entry.objects.filter(kind="redemption").count() == first
    assert Movement.objects.filter(kind="redeem").count() == first
    assert violated() == set()


def test_a_changed_body_under_an_old_key_counts_nothing(fresh_db):
    """Control of the one above: told under new keys, the same bodies are new entries."""
    counter()
    lunch("one")
    before = Transfer.objects.count()
    with pytest.raises(CannotRedeem) as refusal:
        story.redeem("one", "LI", "LUNCH", "PM09", "2026-01-05 11:30", quantity=2)
    assert refusal.value.code == "key_reused"
    assert Transfer.objects.count() == before
    story.redeem("two", "LI", "LUNCH", "PM09", "2026-01-05 11:30", quantity=2)
    assert Transfer.objects.count() > before
    assert day("2026-01-05") == Redemption.objects.latest("id").service_on
