"""Served without a network: each serving stored once, paid at most once, never lost; what clashes is a case with a loser."""

import os
import random
from collections import Counter as Tally
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from marketplace.management import base
from tests import story
from tests.api import ground
from tests.api.ground import Counter
from tests.threads import at_once
from vouchers.models import Redemption, Serving, Terminal, TokenUse, Voucher
from vouchers.offline import caps, operations
from vouchers.proof.queries import prove

LONG = bool(os.environ.get("LONG"))
INTERLEAVINGS = 5_000 if LONG else 18


def serving(
    key: str, who: str = "LI", *, ago: timedelta = timedelta(hours=3), **other: Any
) -> dict[str, Any]:
    """One of a batch: a lunch some hours ago, by the code that was shown then."""
    shown = other.pop("elder", None) or {"token": ground.code_of(who, ago=ago)}
    then = (timezone.now() - ago).isoformat()
    return {"key": key, "happened_at": then, **ground.lunch(who, elder=shown, **other)}


def send(counter: Counter, *servings: Any) -> list[dict[str, Any]]:
    answer = counter.post("offline-batches", {"redemptions": list(servings)})
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def violated() -> set[str]:
    return {one.name for one in prove() if one.violations}


class TestABatch:
    def test_each_is_answered_by_itself_in_order(self, counter):
        good, soup = serving("a"), serving("c", "ZHANG", service="HOUR")
        wrong = serving("b") | {"quantity": 0}
        results = send(counter, good, wrong, soup, "nonsense", serving("d") | {"elder": {"token": "YQ:"}})
        assert [(one["key"], one["status"]) for one in results] == [
            ("a", 201), ("b", 400), ("c", 201), (None, 400), ("d", 422),
        ]  # fmt: skip
        assert results[0]["body"]["price"]["vouchers"] == "12.00"
        assert results[1]["problem"]["code"] == "invalid" and results[4]["problem"]["code"] == "token_invalid"
        assert Serving.objects.count() == Redemption.objects.count() == 2
        made = Redemption.objects.order_by("id").first()
        assert made.channel == "offline" and made.service_on == timezone.localdate(made.happened_at)

    def test_sent_again_in_parts_and_in_any_order_it_is_stored_once(self, counter):
        batch = [serving(f"k{n}", who) for n, who in enumerate(["LI", "ZHANG", "WANG"] * 2)]
        first = send(counter, *batch[:4])
        again = send(counter, *reversed(batch))
        assert [one["status"] for one in again] == [201, 201, 200, 200, 200, 200]
        bodies = {one["key"]: one["body"] for one in first}
        assert all(bodies.get(one["key"], one["body"]) == one["body"] for one in again)
        assert Serving.objects.count() == Redemption.objects.count() == 6

    def test_a_key_for_something_else(self, counter):
        one = serving("k")
        send(counter, one)
        assert send(counter, one | {"quantity": 2})[0]["problem"]["code"] == "key_reused"

    def test_what_was_redeemed_with_a_network_is_answered_too(self, counter):
        """The answer was lost; the terminal took it for the network and queued the same request."""
        one = serving("k", ago=timedelta(seconds=10))
        sent = {name: value for name, value in one.items() if name != "key"}
        first = counter.post("redemptions", sent, key="k")
        assert first.status_code == 201
        assert send(counter, one) == [{"key": "k", "status": 200, "body": first.json()}]

    def test_anothers_premises_and_times_to_come_are_not_kept(self, counter):
        ahead = serving("b", ago=-timedelta(minutes=20))
        results = send(counter, serving("a", premises="PM02"), ahead)
        assert [one["problem"]["code"] for one in results] == ["not_found", "out_of_time"]
        assert not Serving.objects.exists()

    @pytest.mark.parametrize("many", [0, 101])
    def test_one_to_a_hundred(self, counter, many):
        answer = counter.post("offline-batches", {"redemptions": [{}] * many})
        assert ground.refusal(answer) == (400, "invalid")


class TestAClash:
    """Li's five vouchers of ten are spent at the second counter while the first hears nothing."""

    @pytest.fixture
    def clash(self, counter) -> list[dict[str, Any]]:
        other = Counter(ground.terminal())
        assert other.redeem("elsewhere", quantity=5).status_code == 201
        return send(counter, serving("k"))

    def test_is_kept_and_names_its_loser(self, counter, clash):
        case = Serving.objects.get()
        assert clash[0]["status"] == 202
        assert clash[0]["case"] == {
            "case": case.number,
            "code": "nothing_spendable",
            "detail": clash[0]["case"]["detail"],
            "unpaid": "12.00",
            "receipt": None,
        }
        assert case.loser.code == "OP01" and case.rival.key == "elsewhere"
        assert list(Serving.objects.open_cases()) == [case]

    def test_told_again_it_is_the_same_case(self, counter):
        other = Counter(ground.terminal())
        other.redeem("elsewhere", quantity=5)
        one = serving("k")
        first = send(counter, one)
        assert send(counter, one) == first
        assert Serving.objects.count() == 1

    def test_the_bureau_pays_it_once_there_is_something_again(self, counter, clash):
        elsewhere = Redemption.objects.get()
        with pytest.raises(operations.CannotDecide) as refusal:
            decide(pay=True)
        assert refusal.value.code == "nothing_spendable"
        from vouchers.redemption.operations import reverse

        reverse(redemption=elsewhere, reversed_at=timezone.now(), reason="x", by="clerk", at=timezone.now())
        decided = decide(pay=True)
        assert decided.redemption.vouchers == 12 and decided.decision == "paid"
        assert not Serving.objects.open_cases().exists()
        with pytest.raises(operations.CannotDecide):
            decide(pay=False)
        assert violated() == set()

    def test_or_leaves_it_with_the_operator(self, counter, clash):
        assert decide(pay=False).decision == "borne"
        with pytest.raises(operations.CannotDecide) as refusal:
            decide(pay=True)
        assert refusal.value.code == "not_open"

    def test_by_command(self, counter, clash):
        out = StringIO()
        call_command("decide_serving", stdout=out)
        number, *rest = out.getvalue().split()
        assert rest == ["PM01", "nothing_spendable", "12.00", "OP01"]
        with pytest.raises(base.Refused):
            call_command("decide_serving", number, "bear")
        call_command("decide_serving", number, "bear", by="clerk", reason="窗口未核对", stdout=out)
        assert Serving.objects.get().note == "窗口未核对"

    def test_sentences_are_in_the_language_asked_for(self, counter, clash):
        one = serving("b")
        english = send(counter, one)[0]["case"]["detail"]
        counter.language = "zh-CN"
        assert send(counter, one)[0]["case"]["detail"] != english

    def test_nobody_else_decides(self, counter, clash):
        with pytest.raises(operations.CannotDecide) as refusal:
            decide(pay=True, who="manager-op01")
        assert refusal.value.code == "wrong_role"

    def test_the_same_code_at_two_counters_is_paid_once(self, counter):
        shown = {"token": ground.code_of("LI", ago=timedelta(hours=3))}
        other = Counter(ground.terminal())
        first, second = send(counter, serving("a", elder=shown)), send(other, serving("b", elder=shown))
        assert (first[0]["status"], second[0]["status"]) == (201, 202)
        assert second[0]["case"]["code"] == "token_used"
        assert Redemption.objects.count() == 1 and Serving.objects.count() == 2

    def test_less_than_promised_is_a_case_for_the_rest(self, counter):
        """Government pays its part of a meal anyway; what the vouchers were to pay is missing."""
        Counter(ground.terminal()).redeem("elsewhere", quantity=4)  # 48 of 50 yuan
        result = send(counter, serving("k", service="MEAL") | {"promised": "12.00"})[0]
        assert result["status"] == 202 and result["case"]["code"] == "paid_short"
        assert result["case"]["unpaid"] == "10.00"
        assert result["case"]["receipt"]["price"]["vouchers"] == "2.00"
        assert Serving.objects.get().loser.code == "OP01"
        with pytest.raises(operations.CannotDecide):
            decide(pay=True)
        assert decide(pay=False).decision == "borne"


def decide(*, pay: bool, who: str = "clerk") -> Serving:
    return operations.decide_serving(
        serving=Serving.objects.get(code__gt=""),
        pay=pay,
        by=story.user_named(who),
        at=timezone.now(),
        reason="x",
    )


class TestCaps:
    def test_by_a_card_an_elder_has_less(self, db):
        ground.town(vouchers=1, face=1000)
        counter = Counter(ground.terminal())
        pin = ground.pin_of("LI")
        card = {"code": ground.card_of("LI"), "pin": pin}
        results = send(counter, *(serving(f"k{n}", elder=card) for n in range(7)))
        assert [one["status"] for one in results] == [201] * 5 + [202] * 2  # 60 of 12 each
        assert results[5]["case"]["code"] == "over_cap"
        by_phone = send(counter, *(serving(f"p{n}", ago=timedelta(minutes=90 + n)) for n in range(4)))
        assert [one["status"] for one in by_phone] == [201] * 3 + [
            202
        ]  # 120 with what is over the cap as well
        assert violated() == set()

    def test_a_wrong_pin_is_kept_as_a_case_and_counted(self, counter):
        ground.pin_of("LI")
        result = send(counter, serving("k", elder={"code": "LI", "pin": "135791"}))[0]
        assert result["status"] == 202 and result["case"]["code"] == "pin_wrong"

    def test_a_terminal_has_one_too(self, counter, monkeypatch):
        monkeypatch.setattr(caps, "TERMINAL", Decimal("25.00"))
        results = send(counter, serving("a"), serving("b", "ZHANG"), serving("c", "WANG"))
        assert [one["status"] for one in results] == [201, 201, 202]
        assert results[2]["case"]["code"] == "over_cap"
        assert (
            send(Counter(ground.terminal()), serving("d", "WANG", ago=timedelta(hours=2)))[0]["status"] == 201
        )

    def test_with_a_network_there_is_none(self, counter, monkeypatch):
        monkeypatch.setattr(caps, "TERMINAL", Decimal("1.00"))
        assert counter.redeem("k").status_code == 201

    def test_the_worst_loss_is_terminals_times_cap(self, counter):
        ground.terminal("PM02")
        revoked = Terminal.objects.create(
            premises_id=Terminal.objects.first().premises_id, name="旧", token_digest=b"x",
            enrolled_at=timezone.now(), enrolled_by="x", revoked_at=timezone.now(), revoked_by="x",
        )  # fmt: skip
        assert operations.worst_loss() == 2 * caps.TERMINAL
        assert revoked not in Terminal.objects.filter(revoked_at=None)


def test_two_terminals_one_voucher_whatever_comes_when(fresh_db):
    """Interleavings: what both served is told in parts, again, in any order, with answers lost and apps restarted.

    Each serving is stored once, at most one is paid from the voucher, none is dropped.
    """
    ground.town(vouchers=1, face=12)
    rng = random.Random(11)
    terminals = [Counter(ground.terminal()), Counter(ground.terminal())]
    elders = ["LI", "ZHANG", "WANG"]
    for turn in range(INTERLEAVINGS):
        who = elders[turn % 3]
        fill_up(who)
        ago = timedelta(minutes=10 + turn % 4000)
        told = [
            [
                serving(f"{turn}-{n}", who, ago=ago + timedelta(seconds=120 * side))
                for n in range(rng.choice([1, 1, 2]))
            ]
            for side in range(2)
        ]
        queues = [list(batch) for batch in told]
        cases = []
        while any(queues):
            side = rng.choice([n for n in range(2) if queues[n]])
            part = rng.sample(queues[side], rng.randint(1, len(queues[side])))
            results = send(terminals[side], *part)
            assert all(one["status"] in (200, 201, 202) for one in results), results
            if rng.random() < 0.3:
                continue  # the answer was lost, or the tablet began anew: the queue is as it was
            queues[side] = [one for one in queues[side] if one not in part]
            cases += [one["key"] for one in results if one["status"] == 202]
        keys = [one["key"] for batch in told for one in batch]
        kept = Serving.objects.filter(key__in=keys)
        assert Tally(kept.values_list("key", flat=True)) == Tally(
            keys
        )  # a key is the terminal's: two may share one
        assert kept.filter(redemption__isnull=False).count() == 1
        assert set(cases) == set(kept.filter(redemption=None).values_list("key", flat=True))
        assert not kept.filter(redemption=None, loser=None).exists()
    assert violated() == set()


def fill_up(who: str) -> None:
    """Give the elder one voucher's worth again, and forget the caps: each turn is a story of its own."""
    from vouchers.redemption.operations import reverse

    for redemption in Redemption.objects.filter(elder__code=who, reversed_on=None):
        reverse(redemption=redemption, reversed_at=timezone.now(), reason="x", by="test", at=timezone.now())
    long_ago = timezone.now() - timedelta(days=30)
    Serving.objects.filter(elder__code=who, happened_at__gt=long_ago).update(happened_at=long_ago)
    TokenUse.objects.filter(code__elder__code=who).delete()


def test_both_at_the_same_moment(fresh_db):
    ground.town(vouchers=1, face=12)
    counters = [Counter(ground.terminal()) for _ in range(6)]
    batches = [[serving(f"k{n}")] for n in range(6)]
    answers = at_once([lambda c=c, b=b: send(c, *b) for c, b in zip(counters, batches, strict=True)] * 2)
    assert all(isinstance(answer, list) for answer in answers), answers
    assert Serving.objects.count() == 6 and Redemption.objects.count() == 1
    assert Voucher.objects.get(elder__code="LI", programme__code="PX").remaining == 0
    assert violated() == set()


class TestWithoutTheProtection:
    """Control: what the sameness of keys is worth."""

    def test_told_under_new_keys_it_is_stored_again(self, counter):
        one = serving("a")
        send(counter, one, one | {"key": "b"})
        assert Serving.objects.count() == 2

    def test_without_its_case_a_clash_would_be_dropped(self, counter, monkeypatch):
        Counter(ground.terminal()).redeem("elsewhere", quantity=5)
        shown = {"token": ground.code_of("LI", ago=timedelta(seconds=35))}
        answer = counter.redeem("k", elder=shown)  # with a network nothing is kept
        assert ground.refusal(answer)[1] == "nothing_spendable"
        assert not Serving.objects.exists()
        assert send(counter, serving("k"))[0]["status"] == 202
        assert Serving.objects.count() == 1
