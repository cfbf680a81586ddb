"""Over HTTP, to the site's own web server: many at once, told again, told otherwise, answers lost (strength.md 1, 2, 5, 8)."""

import http.client
import json
import os
import random
import socket
from collections import Counter as Tally
from decimal import Decimal

import pytest
from django.db.models import Sum

from docs.yiquan_client import Refused, Yiquan
from ledger.models import Entry
from tests import databases
from tests.api import ground
from tests.api.served import client, in_threads, served
from vouchers.models import Movement, Redemption, Reversal, Terminal, Voucher
from vouchers.proof.queries import prove
from vouchers.redemption import statements

LONG = bool(os.environ.get("LONG"))


def violated() -> set[str]:
    return {one.name for one in prove() if one.violations}


def spent_of_li() -> Decimal:
    sums = Voucher.objects.filter(programme__code="PX", elder__code="LI").aggregate(
        face=Sum("face_value"), left=Sum("remaining")
    )
    return sums["face"] - sums["left"]


def lunches(counter: Yiquan, many: int) -> list:
    body = ground.lunch()
    return in_threads([lambda n=n: counter.redeem(key=f"k{n}", **body) for n in range(many)], threads=50)


def test_fifty_at_one_counter_spend_forty_vouchers_to_the_fen(fresh_db):
    ground.town(vouchers=40)
    token = ground.terminal()
    with served(fresh_db, threads=4, workers=2) as address:
        answers = lunches(client(address, token), 50)
    paid = [answer for answer in answers if isinstance(answer, dict)]
    refused = [answer for answer in answers if not isinstance(answer, dict)]
    # 400 yuan: 33 lunches of 12 and the last 4 yuan of one more, whose 8 are paid in cash.
    assert Tally(receipt["price"]["vouchers"] for receipt in paid) == {"12.00": 33, "4.00": 1}
    assert Tally((type(one), one.code) for one in refused) == {(Refused, "nothing_spendable"): 16}
    assert len({receipt["number"] for receipt in paid}) == len(paid)
    assert spent_of_li() == 400
    assert Entry.objects.filter(kind="redemption").count() == len(paid)
    assert violated() == set()


UNLOCKED = """
import os, time
os.environ["DJANGO_SETTINGS_MODULE"] = "marketplace.config.settings"
import django
django.setup()
from ledger.wire import Prepared
from vouchers.redemption import statements
statements.LOCK = Prepared("unlocked", statements.LOCK.source.replace("FOR NO KEY UPDATE", ""))
statements.READ_LOCKING = statements.READ_ONLY
read = statements.lock_and_read
def slow(*transaction, **given):
    context = read(*transaction, **given)
    time.sleep(0.3)  # everybody has read before anybody writes
    return context
statements.lock_and_read = slow
from marketplace.config.wsgi import application
"""


class TestWithoutTheLocks:
    """Control: the same, by a server whose statements lock nothing and that waits between reading and writing."""

    def lunches(self, database: str, tmp_path) -> None:
        broken = tmp_path / "unlocked.py"
        broken.write_text(UNLOCKED)
        token = ground.terminal()
        with served(database, threads=12, another=broken) as address:
            lunches(client(address, token), 12)

    @pytest.mark.error_logs("marketplace.api")
    def test_the_constraint_still_holds(self, fresh_db, tmp_path):
        ground.town(vouchers=2)
        self.lunches(fresh_db, tmp_path)
        assert spent_of_li() == 20
        assert violated() == set()

    def test_with_both_gone_the_damage_shows(self, fresh_db, tmp_path):
        ground.town(vouchers=2)
        with databases.superuser(fresh_db) as connection:
            connection.execute(
                "ALTER TABLE vouchers_voucher DROP CONSTRAINT voucher_never_below_zero_or_above_face"
            )
        self.lunches(fresh_db, tmp_path)
        assert spent_of_li() > 20
        assert violated()


def test_one_key_twenty_times_at_once_is_one_redemption(fresh_db):
    ground.town()
    token = ground.terminal()
    body = ground.lunch()
    with served(fresh_db, threads=8) as address:
        counter = client(address, token)
        answers = in_threads([lambda: counter.redeem(key="k", **body)] * 20, threads=20)
    assert {json.dumps(answer) for answer in answers} == {json.dumps(answers[0])}
    assert Redemption.objects.count() == 1


def test_while_it_is_under_way_the_same_key_is_told_to_come_again(fresh_db):
    """Control of the one above: the client asks again, so here one asks by hand while the key's lock is held."""
    ground.town()
    counter = ground.Counter(ground.terminal())
    scope = Terminal.objects.get().scope
    with databases.superuser(fresh_db) as holder:
        holder.execute("SELECT pg_advisory_lock(%s)", [statements.lock_of_key(scope, "k")])
        answer = counter.redeem("k")
        assert ground.refusal(answer) == (409, "in_progress")
        assert int(answer.headers["Retry-After"]) >= 1
        assert counter.redeem("other").status_code == 201  # nobody else waits
        holder.execute("SELECT pg_advisory_unlock_all()")
    assert counter.redeem("k").status_code == 201


def test_twenty_guesses_at_once_are_five(fresh_db):
    """Counted before they are looked at, so that whoever comes at once finds the others counted."""
    ground.town()
    ground.pin_of("LI")
    tokens = [ground.terminal() for _ in range(4)]
    with served(fresh_db, threads=8) as address:
        answers = in_threads(
            [
                lambda n=n: Yiquan(address, token=tokens[n % 4], seconds=30)._once(
                    "POST", "quotes", ground.lunch(elder={"code": "LI", "pin": f"1357{n:02}"}), None
                )
                for n in range(20)
            ],
            threads=20,
        )
    assert Tally(answer.code for answer in answers) == {"pin_wrong": 5, "pin_locked": 15}


def test_twenty_reversals_at_once_are_one(fresh_db):
    ground.town()
    token = ground.terminal()
    body = ground.lunch()
    with served(fresh_db, threads=8) as address:
        counter = client(address, token)
        number = counter.redeem(**body)["number"]
        answers = in_threads([lambda: counter.take_back(number, reason="x")] * 20, threads=20)
    assert {json.dumps(answer) for answer in answers} == {json.dumps(answers[0])}
    assert answers[0]["value"] == "12.00"
    assert Reversal.objects.count() == 1 and spent_of_li() == 0
    assert violated() == set()


def test_deliveries_repeated_changed_and_out_of_order_make_no_entry_too_many(fresh_db):
    """A third of them told again, a fifth of those with another body, in any order, by eight at once."""
    many = 10_000 if LONG else 300
    ground.town(vouchers=1, face=12 * many)
    token = ground.terminal()
    rng = random.Random(5)
    first = many * 2 // 3
    numbers = {who: ground.number_of(who) for who in ("LI", "ZHANG", "WANG")}
    orders = [(f"k{n}", rng.choice(list(numbers)), 1) for n in range(first)]
    again = [rng.choice(orders) for _ in range(many - first)]
    told = orders + [(key, who, 2 if rng.random() < 0.2 else 1) for key, who, _quantity in again]
    rng.shuffle(told)
    shown: dict[str, str] = {}

    def body(key: str, who: str, quantity: int) -> dict:
        """With the code of the moment when this key is told first; told again, it says the same."""
        code = shown.setdefault(key, ground.shown_now(numbers[who]))
        return ground.lunch(who, elder={"token": code}, quantity=quantity)

    with served(fresh_db, threads=8) as address:
        counter = client(address, token)
        answers = in_threads(
            [
                lambda key=key, who=who, quantity=quantity: counter.redeem(
                    key=key, **body(key, who, quantity)
                )
                for key, who, quantity in told
            ],
            threads=8,
        )
    receipts: dict[tuple[str, int], set[str]] = {}
    for (key, _who, quantity), answer in zip(told, answers, strict=True):
        if isinstance(answer, dict):
            receipts.setdefault((key, quantity), set()).add(json.dumps(answer))
        else:
            assert isinstance(answer, Refused) and answer.code == "key_reused", answer
    # Each key is one redemption, whichever body came first, and all that told it so got the same receipt.
    assert all(len(told_of_it) == 1 for told_of_it in receipts.values())
    assert len({key for key, _quantity in receipts}) == len(receipts) == first
    assert Redemption.objects.count() == Entry.objects.filter(kind="redemption").count() == first
    assert Movement.objects.filter(kind="redeem").count() == first
    assert violated() == set()


def test_an_answer_that_is_lost_is_asked_for_again(fresh_db):
    """The client sends, hangs up before the answer, and sends again; others dawdle half-way through a request."""
    ground.town(vouchers=40)
    token = ground.terminal()
    body = json.dumps(ground.lunch()).encode()
    with served(fresh_db, threads=4) as address:
        host, _colon, port = address.removeprefix("http://").partition(":")
        half_open = [half_a_request(host, int(port)) for _ in range(12)]  # more than there are threads
        counter = client(address, token)
        for n in range(10):
            lost = http.client.HTTPConnection(host, int(port))
            lost.request(
                "POST",
                "/api/v1/redemptions",
                body,
                {
                    "Authorization": f"Bearer {token}",
                    "Idempotency-Key": f"k{n}",
                    "Content-Type": "application/json",
                },
            )
            lost.close()
            receipt = counter.redeem(key=f"k{n}", **json.loads(body))
            assert receipt["number"]
            assert counter.redeem(key=f"k{n}", **json.loads(body)) == receipt
        for dawdler in half_open:
            dawdler.close()
    assert Redemption.objects.count() == 10 and spent_of_li() == 120
    assert violated() == set()


def half_a_request(host: str, port: int) -> socket.socket:
    dawdler = socket.create_connection((host, port))
    dawdler.sendall(b"POST /api/v1/redemptions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n{")
    return dawdler
