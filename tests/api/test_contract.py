"""The HTTP contract, told at Grandma Li's counter: what each call answers, to the letter of contracts.md."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from ledger.models import Entry, Record
from marketplace.api.api import api
from marketplace.api.problems import CODES
from tests import story
from tests.api import ground
from tests.api.ground import Counter, refusal
from vouchers.models import Hold, PinTry, Redemption, Reversal, Terminal, TokenUse, Voucher
from vouchers.proof.queries import prove
from vouchers.terminals.operations import give_code, revoke


class TestRedeeming:
    def test_a_lunch(self, counter):
        answer = counter.redeem("k1")
        assert answer.status_code == 201
        number = answer.json()["number"]
        assert answer.json() == {
            "number": number,
            "elder": "李*",
            "price": {
                "list": "12.00",
                "government": "0.00",
                "concession": "0.00",
                "charity": "0.00",
                "vouchers": "12.00",
                "self_pay": "0.00",
            },
            "vouchers": [
                {"serial": serial, "amount": amount, "remaining": left}
                for serial, amount, left in spent(number)
            ],
        }
        assert [one["amount"] for one in answer.json()["vouchers"]] == ["10.00", "2.00"]
        made = Redemption.objects.get()
        terminal = Terminal.objects.get()
        assert (made.number, made.channel, made.by, made.key_scope) == (
            number, "qr", terminal.scope, terminal.scope,
        )  # fmt: skip
        assert Record.objects.get(action="redeem").by == terminal.scope

    def test_the_same_again_gets_the_same_receipt(self, counter):
        body = ground.lunch()
        first = counter.post("redemptions", body, key="k1")
        assert "Idempotent-Replay" not in first.headers
        again = counter.post("redemptions", body, key="k1")
        assert (again.status_code, again.content) == (200, first.content)
        assert again.headers["Idempotent-Replay"] == "true"
        assert Redemption.objects.count() == Entry.objects.filter(kind="redemption").count() == 1

    def test_the_same_instant_spelt_otherwise_is_the_same(self, counter):
        now = timezone.now().replace(microsecond=0)
        body = ground.lunch(happened_at=now.isoformat())
        assert counter.post("redemptions", body, key="k1").status_code == 201
        here = timezone.localtime(now)
        for spelt in (here.isoformat(), here.replace(tzinfo=None).isoformat()):
            assert counter.post("redemptions", body | {"happened_at": spelt}, key="k1").status_code == 200

    @pytest.mark.parametrize(
        "change",
        [
            {"quantity": 2},
            {"service": "MEAL"},
            {"channel": "qr"},
            {"happened_at": "2020-01-01T00:00Z"},
            {"elder": {"token": "YQ:"}},
        ],
        ids=str,
    )
    def test_the_same_key_for_something_else(self, counter, change):
        """What was not given stays not given: the channel that would have been noted anyway is another content."""
        body = ground.lunch()
        counter.post("redemptions", body, key="k1")
        assert refusal(counter.post("redemptions", body | change, key="k1")) == (409, "key_reused")
        assert Redemption.objects.count() == 1

    def test_a_late_retry_gets_its_receipt_when_its_code_is_long_out_of_date(self, counter):
        body = ground.lunch(elder={"token": ground.code_of("LI")})
        first = counter.post("redemptions", body, key="k1")
        TokenUse.objects.update(used_at=timezone.now() - timedelta(hours=5))
        assert refusal(counter.post("redemptions", body, key="k2")) == (422, "token_expired")  # control
        again = counter.post("redemptions", body, key="k1")
        assert (again.status_code, again.content) == (200, first.content)

    def test_a_receipt_says_what_it_said_whatever_happened_since(self, counter):
        body = ground.lunch()
        first = counter.post("redemptions", body, key="k1")
        counter.redeem("k2")
        number = first.json()["number"]
        assert counter.post(f"redemptions/{number}/reversal", {"reason": "错了"}).status_code == 201
        assert counter.post("redemptions", body, key="k1").content == first.content

    def test_two_terminals_may_use_one_key(self, counter):
        other = Counter(ground.terminal("PM02"))
        assert counter.redeem("k1").status_code == 201
        assert other.redeem("k1", "ZHANG", premises="PM02", service="HOUR").status_code == 201

    def test_what_was_ordered_is_what_is_served(self, counter):
        """Value that is set aside pays its own lunch; what comes after is another lunch."""
        now = timezone.localtime()
        today, tomorrow = (f"{now + timedelta(days=n):%Y-%m-%d} 11:30" for n in (0, 1))
        placed = story.place("today", "LI", "LUNCH", "PM01", today, f"{now:%Y-%m-%d %H:%M}")
        story.place("tomorrow", "LI", "LUNCH", "PM01", tomorrow, f"{now:%Y-%m-%d %H:%M}")
        quoted = counter.post("quotes", ground.lunch()).json()
        answer = counter.redeem("k1")
        assert answer.status_code == 201
        assert answer.json() == quoted | {"number": answer.json()["number"]}
        assert Redemption.objects.get().hold == placed
        assert dict(Hold.objects.values_list("key", "state")) == {"today": "delivered", "tomorrow": "open"}
        assert counter.redeem("k2").status_code == 201
        assert Redemption.objects.filter(hold=None).count() == 1

    def test_with_card_and_pin(self, counter):
        pin = ground.pin_of("LI")
        for shown in ("LI", ground.card_of("LI")):
            answer = counter.redeem(f"k{shown[:2]}", elder={"code": shown, "pin": pin})
            assert answer.status_code == 201, answer.content
        assert set(Redemption.objects.values_list("channel", flat=True)) == {"pin"}

    def test_the_pin_stands_nowhere(self, counter):
        pin = ground.pin_of("LI")
        counter.redeem("k1", elder={"code": "LI", "pin": pin})
        assert pin not in repr(list(Record.objects.values())) + repr(list(Redemption.objects.values()))

    def test_the_same_with_another_pin_is_another_content(self, counter):
        pin = ground.pin_of("LI")
        counter.redeem("k1", elder={"code": "LI", "pin": pin})
        assert refusal(counter.redeem("k1", elder={"code": "LI", "pin": "111112"})) == (409, "key_reused")
        assert not PinTry.objects.filter(counts=True).exists()  # nobody looked at it

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"premises": "PM99"}, "unknown_reference"),
            ({"service": "NONE"}, "unknown_reference"),
            ({"elder": {"code": "NOBODY", "pin": "123456"}}, "unknown_reference"),
            ({"elder": {"token": "not a code"}}, "token_invalid"),
            ({"elder": {"code": "LI", "pin": "135790"}}, "pin_not_set"),
        ],
        ids=str,
    )
    def test_refusals(self, counter, change, code):
        assert refusal(counter.redeem("k1", **change)) == (422, code)
        assert not Redemption.objects.exists()

    def test_a_refused_key_is_free(self, counter):
        assert refusal(counter.redeem("k1", service="NONE"))[0] == 422
        assert counter.redeem("k1").status_code == 201

    def test_what_one_day_allows(self, counter):
        assert counter.redeem("k1", service="MEAL", quantity=3).status_code == 201
        assert refusal(counter.redeem("k2", service="MEAL")) == (422, "daily_limit")

    def test_nothing_left(self, counter):
        assert counter.redeem("k1", quantity=5).status_code == 201
        assert refusal(counter.redeem("k2")) == (422, "nothing_spendable")

    @pytest.mark.parametrize(("minutes", "outcome"), [(4, 201), (6, 422), (-71 * 60, 201), (-73 * 60, 422)])
    def test_times_that_a_terminal_may_tell(self, counter, minutes, outcome):
        told = (timezone.now() + timedelta(minutes=minutes)).isoformat()
        answer = counter.redeem("k1", happened_at=told)
        assert answer.status_code == outcome
        if outcome == 422:
            assert refusal(answer)[1] == "out_of_time"

    def test_a_code_of_a_minute_ago_is_taken_and_one_of_ten_minutes_ago_is_not(self, counter):
        old = ground.code_of("LI", ago=timedelta(minutes=10))
        assert refusal(counter.redeem("k1", elder={"token": old})) == (422, "token_expired")
        assert (
            counter.redeem("k1", elder={"token": ground.code_of("LI", ago=timedelta(seconds=40))}).status_code
            == 201
        )

    def test_one_scan_serves_its_own_terminal_and_no_other(self, counter):
        shown = {"token": ground.code_of("LI")}
        assert counter.redeem("lunch", elder=shown).status_code == 201
        assert counter.redeem("soup", elder=shown).status_code == 201
        other = Counter(ground.terminal())
        assert refusal(other.redeem("k", elder=shown)) == (422, "token_used")


def spent(number: str):
    made = Redemption.objects.by_number(number).get()
    for movement in made.movements.order_by("id"):
        voucher = movement.voucher
        yield voucher.serial, str(movement.amount), str(voucher.remaining)


class TestWhoMay:
    def test_nobody_without_a_token(self, counter):
        for token in ("", "yt_" + "A" * 43, "garbage", ground.code_of("LI")):
            answer = Counter(token).redeem("k1")
            assert refusal(answer) == (401, "not_signed_in")
            assert answer.headers["WWW-Authenticate"] == "Bearer"

    def test_revoked_at_once(self, counter):
        assert counter.redeem("k1").status_code == 201
        revoke(of=Terminal.objects.get(), by="clerk", at=timezone.now())
        assert refusal(counter.redeem("k1")) == refusal(counter.redeem("k2")) == (401, "not_signed_in")

    def test_a_terminal_serves_its_own_premises(self, counter):
        assert refusal(counter.redeem("k1", premises="PM02")) == (404, "not_found")
        assert not Redemption.objects.exists()

    def test_a_partner_serves_its_operators(self, counter):
        ours = Counter(ground.partner("OP01"))
        assert ours.redeem("k1").status_code == 201
        assert refusal(ours.redeem("k2", premises="PM02", service="HOUR")) == (404, "not_found")
        assert refusal(ours.redeem("k3", premises="PM03")) == (422, "no_lease")
        both = Counter(ground.partner("OP01", "OP02"))
        assert both.redeem("k2", "ZHANG", premises="PM02", service="HOUR").status_code == 201

    def test_a_partner_that_may_tell_of_past_days(self, counter):
        then = timezone.now() - timedelta(days=20)
        shown = {"token": ground.code_of("LI", ago=timedelta(days=20))}
        told = {"happened_at": then.isoformat(), "elder": shown}
        assert refusal(Counter(ground.partner("OP01")).redeem("k1", **told)) == (422, "out_of_time")
        past = Counter(ground.partner("OP01", may_tell_past=True))
        assert past.redeem("k1", **told).status_code == 201
        assert Redemption.objects.get().service_on == timezone.localdate(then)

    def test_every_operation_asks_who_it_is(self, counter):
        """Deny by default: all operations, from the API itself."""
        open_ones = []
        for path, operations in api.get_openapi_schema()["paths"].items():
            for method, operation in operations.items():
                assert path.startswith("/api/v1/")
                url = path.replace("{number}", "RD-000000001")
                send = getattr(Client(), method)
                answers = [
                    send(url, content_type="application/json", headers=headers)
                    for headers in ({}, {"authorization": "Bearer nonsense"})
                ]
                if operation["security"]:
                    for answer in answers:
                        assert answer.status_code == 401, (path, answer.content)
                        assert refusal(answer)[0] == 401
                else:
                    open_ones.append(operation["operationId"])
        assert open_ones == ["enrol"]

    def test_control_an_operation_that_says_nothing_asks_for_a_token(self):
        from ninja import NinjaAPI

        from marketplace.api.auth import TerminalToken

        assert isinstance(api.auth[0] if isinstance(api.auth, list) else api.auth, TerminalToken)
        assert NinjaAPI(urls_namespace="control").auth is not api.auth


class TestKeys:
    def test_none(self, counter):
        assert refusal(counter.redeem(None)) == (400, "key_missing")

    @pytest.mark.parametrize("key", ["x" * 81, "a b", "é"])
    def test_wrong_ones(self, counter, key):
        assert refusal(counter.redeem(key)) == (400, "key_invalid")

    def test_the_longest(self, counter):
        assert counter.redeem("x" * 80).status_code == 201


class TestForms:
    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"\xff\xfe", b"null", b"[]", b'"x"', b"1" * 5000, b"[" * 10_000, b'{"quantity": 1e400}'],
        ids=lambda body: repr(body[:12]),
    )
    def test_what_is_no_request(self, counter, body):
        answer = counter.client.post(
            "/api/v1/redemptions", body, content_type="application/json", headers=counter.headers("k1")
        )
        assert refusal(answer)[0] == 400
        assert refusal(answer)[1] in ("malformed", "invalid")

    @pytest.mark.parametrize(
        "change",
        [
            {"quantity": 0}, {"quantity": -1}, {"quantity": 1.5}, {"quantity": "1"}, {"quantity": True},
            {"quantity": 10**30}, {"premises": 5}, {"premises": "x" * 41}, {"premises": ""},
            {"service": "MEAL\x00"}, {"service": "\ud800"}, {"elder": {}}, {"elder": "LI"},
            {"elder": {"code": "LI"}}, {"elder": {"token": "x", "code": "LI"}}, {"elder": {"token": "x" * 300}},
            {"happened_at": "yesterday"}, {"happened_at": "2026-13-01T00:00:00Z"}, {"happened_at": 5},
            {"happened_at": "9999-99-99T99:99:99+99:99"}, {"channel": "pigeon"}, {"unknown": 1},
        ],
        ids=str,
    )  # fmt: skip
    def test_wrong_fields_are_named(self, counter, change):
        answer = counter.client.post(
            "/api/v1/redemptions",
            json.dumps(ground.lunch() | change),
            content_type="application/json",
            headers=counter.headers("k1"),
        )
        assert refusal(answer) == (400, "invalid")
        assert any(error["field"].startswith(next(iter(change))) for error in answer.json()["errors"])
        assert not Redemption.objects.exists()

    def test_what_was_sent_is_not_said_again(self, counter):
        answer = counter.redeem("k1", elder={"code": "LI", "pin": "2750817777777"})
        assert refusal(answer)[0] == 400
        assert b"27508177" not in answer.content

    def test_too_long(self, counter):
        answer = counter.redeem("k1", service="x" * 300_000)
        assert refusal(answer) == (413, "too_large")

    def test_addresses_and_methods_that_are_none(self, counter):
        assert refusal(counter.get("nothing")) == (404, "not_found")
        assert refusal(counter.get("redemptions")) == (405, "method_not_allowed")
        assert counter.get("redemptions").headers["Allow"]
        assert refusal(Client().get("/api/v1/nothing"))[0] == 404
        assert refusal(Client().delete("/api/v1/quotes"))[0] == 405


class TestSentences:
    def test_each_code_has_one_in_both_languages(self, counter):
        from django.utils import translation

        for code, sort in CODES.items():
            with translation.override("en"):
                english = str(sort.sentence)
            with translation.override("zh-hans"):
                chinese = str(sort.sentence)
            assert english.isascii() or "“" in english or "…" in english, code
            assert chinese != english and any(c > "\u4e00" for c in chinese), code

    def test_the_guide_names_each_code_with_its_status(self):
        guide = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text("utf-8")
        rows = re.findall(r"^\| ([0-9, ]+) \| (`.*)\|$", guide, re.MULTILINE)
        told = {code for _statuses, codes in rows for code in re.findall(r"`([a-z_]+)`", codes)}
        assert told - {"body", "case", "problem", "receipt"} == {
            code for code, sort in CODES.items() if sort.status >= 400
        }
        assert {str(sort.status) for sort in CODES.values() if sort.status >= 400} <= {
            status for statuses, _codes in rows for status in statuses.split(", ")
        }

    @pytest.mark.parametrize(
        ("wanted", "language"),
        [
            ("", "zh-Hans"),
            ("de", "zh-Hans"),
            ("en-GB,zh;q=0.5", "en"),
            ("zh-CN,en", "zh-Hans"),
            ("\x00,;q=x", "zh-Hans"),
        ],
    )
    def test_in_the_language_asked_for(self, counter, wanted, language):
        counter.language = wanted
        answer = counter.redeem("k1", service="NONE")
        assert answer.headers["Content-Language"] == language
        assert ("老人" in answer.json()["detail"]) == (language == "zh-Hans")


def test_a_quote_splits_and_spends_nothing(counter):
    answer = counter.post("quotes", ground.lunch(service="MEAL"))
    assert answer.status_code == 200
    assert answer.json()["price"] == {
        "list": "20.00", "government": "4.00", "concession": "3.00", "charity": "1.00", "vouchers": "12.00",
        "self_pay": "0.00",
    }  # fmt: skip
    assert [one["remaining"] for one in answer.json()["vouchers"]] == ["0.00", "8.00"]
    assert not Redemption.objects.exists()
    assert set(Voucher.objects.filter(programme__code="PX").values_list("remaining", flat=True)) == {10}
    receipt = counter.redeem("k1", service="MEAL").json()
    assert {k: v for k, v in receipt.items() if k != "number"} == answer.json()
    assert refusal(counter.post("quotes", ground.lunch(service="NONE"))) == (422, "unknown_reference")


class TestTakingBack:
    def test_within_ten_minutes_by_the_same_terminal_once(self, counter):
        number = counter.redeem("k1").json()["number"]
        first = counter.post(f"redemptions/{number}/reversal", {"reason": "打错了"})
        assert first.status_code == 201
        assert first.json()["number"] == number and first.json()["value"] == "12.00"
        assert datetime.fromisoformat(first.json()["reversed_at"]).utcoffset() == timedelta(hours=8)
        again = counter.post(f"redemptions/{number}/reversal", {"reason": "别的原因"})
        assert (again.status_code, again.content) == (200, first.content)
        assert again.headers["Idempotent-Replay"] == "true"
        assert Reversal.objects.count() == 1

    def test_later_by_the_bureau_alone(self, counter):
        number = counter.redeem("k1").json()["number"]
        with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
            answer = counter.post(f"redemptions/{number}/reversal", {"reason": "晚了"})
        assert refusal(answer) == (422, "too_late")
        url = f"/api/v1/redemptions/{number}/reversal"
        for name, outcome in (("cashier", 403), ("manager-op01", 403), ("clerk", 201)):
            client = Client()
            client.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
            answer = client.post(url, {"reason": "核实"}, content_type="application/json")
            assert answer.status_code == outcome, answer.content
        assert Reversal.objects.get().by == "clerk"

    def test_somebody_signed_in_needs_the_token_of_the_page_too(self, counter):
        number = counter.redeem("k1").json()["number"]
        client = Client(enforce_csrf_checks=True)
        client.force_login(story.user_named("clerk"), backend="django.contrib.auth.backends.ModelBackend")
        url = f"/api/v1/redemptions/{number}/reversal"
        answer = client.post(url, {"reason": "核实"}, content_type="application/json")
        assert refusal(answer) == (403, "forbidden")
        assert not Reversal.objects.exists()

    def test_anothers_is_missing(self, counter):
        number = counter.redeem("k1").json()["number"]
        other = Counter(ground.terminal())
        for unknown in (number, "RD-999999999", "RD-1", "nonsense"):
            assert refusal(other.post(f"redemptions/{unknown}/reversal", {"reason": "x"})) == (
                404,
                "not_found",
            )

    def test_a_reason_is_needed(self, counter):
        number = counter.redeem("k1").json()["number"]
        for body in ({}, {"reason": ""}, {"reason": "x" * 501}, {"reason": 5}):
            assert refusal(counter.post(f"redemptions/{number}/reversal", body)) == (400, "invalid")


class TestGuessing:
    """Five wrong PINs for an elder in a quarter of an hour, wherever they are typed; nobody else is harmed."""

    def test_pins(self, counter):
        pin, other = ground.pin_of("LI"), Counter(ground.terminal())
        guesses = [
            refusal(terminal.redeem(f"k{n}", elder={"code": "LI", "pin": f"13579{n}"}))
            for n in range(4)
            for terminal in (counter, other)
        ]
        assert guesses == [(422, "pin_wrong")] * 5 + [(429, "pin_locked")] * 3
        locked = counter.redeem("k", elder={"code": "LI", "pin": pin})
        assert refusal(locked) == (429, "pin_locked") and int(locked.headers["Retry-After"]) == 900
        ground.pin_of("ZHANG")
        assert counter.redeem("z", "ZHANG", elder={"code": "ZHANG", "pin": pin}).status_code == 201
        assert counter.redeem("t").status_code == 201  # her telephone works all the same
        PinTry.objects.update(tried_at=timezone.now() - timedelta(minutes=15))
        assert counter.redeem("k", elder={"code": "LI", "pin": pin}).status_code == 201

    def test_a_refusal_of_another_kind_takes_no_guess_back(self, counter):
        ground.pin_of("LI")
        wrong = {"elder": {"code": "LI", "pin": "135791"}, "service": "NONE"}
        assert [refusal(counter.redeem(f"k{n}", **wrong))[1] for n in range(6)] == ["pin_wrong"] * 5 + [
            "pin_locked"
        ]


class TestReading:
    def test_an_elder_reads_what_is_left_and_the_code_is_not_used_up(self, counter):
        shown = ground.code_of("LI")
        answer = Counter(shown).get("elders/me/vouchers")
        assert answer.status_code == 200
        assert answer.json()["elder"] == "李*"
        first = answer.json()["vouchers"][0]
        assert set(first) == {
            "serial", "programme", "face_value", "remaining", "held", "valid_from", "valid_until",
        }  # fmt: skip
        assert sum(float(one["remaining"]) for one in answer.json()["vouchers"]) == 150
        assert counter.redeem("k1", elder={"token": shown}).status_code == 201

    @pytest.mark.parametrize("wrong", ["old", "card", "terminal", "nonsense", ""])
    def test_only_by_the_code_of_the_moment(self, counter, wrong):
        token = {
            "old": lambda: ground.code_of("LI", ago=timedelta(minutes=10)),
            "card": lambda: ground.card_of("LI"),
            "terminal": lambda: counter.token,
        }.get(wrong, lambda: wrong)()
        assert refusal(Counter(token).get("elders/me/vouchers"))[0] == 401

    def test_statements_of_ones_own_leases(self, counter):
        month = timezone.localdate().replace(day=1) - timedelta(days=1)
        month = month.replace(day=1)
        story.draw_up(month, at=f"{timezone.localdate()}")
        asked = f"statements?month={month:%Y-%m}"
        answer = Counter(ground.partner("OP01")).get(asked)
        assert [one["lease"] for one in answer.json()["statements"]] == ["LS01"]
        one = answer.json()["statements"][0]
        assert one["month"] == f"{month:%Y-%m}" and one["state"] == "draft"
        assert one["charge"].count(".") == 1 and isinstance(one["redemptions"], int)
        ours = Counter(ground.partner("OP01"))
        assert ours.get(f"{asked}&lease=LS01").json() == answer.json()
        assert refusal(ours.get(f"{asked}&lease=LS02")) == refusal(ours.get(f"{asked}&lease=LS99")) == (
            404, "not_found",
        )  # fmt: skip
        assert refusal(counter.get(asked)) == (403, "forbidden")
        for name, leases in (("clerk", ["LS01", "LS02"]), ("manager-op01", ["LS01"]), ("cashier", None)):
            client = Client()
            client.force_login(story.user_named(name), backend="django.contrib.auth.backends.ModelBackend")
            answer = client.get(f"/api/v1/{asked}")
            if leases is None:
                assert refusal(answer) == (403, "forbidden")
            else:
                assert [one["lease"] for one in answer.json()["statements"]] == leases

    @pytest.mark.parametrize(
        "query", ["", "month=", "month=2026", "month=2026-13", "month=2026-01&lease=%00"]
    )
    def test_months_that_are_none(self, counter, query):
        assert refusal(Counter(ground.partner("OP01")).get(f"statements?{query}")) == (400, "invalid")


def test_a_tablet_enrols_itself(counter):
    from providers.models import Premises

    code = give_code(
        premises=Premises.objects.get(code="PM01"), name="平板", by="manager-op01", at=timezone.now()
    )
    answer = Client().post("/api/v1/enrolments", {"code": code}, content_type="application/json")
    assert answer.status_code == 201
    assert (answer.json()["premises"], answer.json()["name"]) == ("PM01", "平板")
    assert Counter(answer.json()["token"]).redeem("k1").status_code == 201
    again = Client().post("/api/v1/enrolments", {"code": code}, content_type="application/json")
    assert refusal(again) == (422, "code_wrong")


def test_guessing_enrolment_codes_is_slowed_down(counter, settings):
    from marketplace.api import limits

    limits.ENROLMENTS.forget()
    answers = [
        Client().post("/api/v1/enrolments", {"code": f"23456789{n:02}"}, content_type="application/json")
        for n in range(25)
    ]
    limits.ENROLMENTS.forget()
    assert refusal(answers[0]) == (422, "code_wrong")
    assert refusal(answers[-1]) == (429, "too_many_requests")
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize("hosts", [["vouchers.example.org"], []])
def test_behind_tls_a_guesser_stops_no_other_office(counter, settings, hosts):
    """Control: without TLS all come from one address, the one that is seen."""
    from marketplace.api import limits

    settings.HTTPS_HOSTS, settings.API_ENROLMENT_AT_ONCE = hosts, 3.0
    limits.ENROLMENTS.forget()
    answers = [
        Client(headers={"x-forwarded-for": address}).post(
            "/api/v1/enrolments", {"code": "2345678901"}, content_type="application/json"
        )
        for address in ["203.0.113.7"] * 4 + ["198.51.100.20"]
    ]
    limits.ENROLMENTS.forget()
    assert [one.status_code for one in answers] == [422, 422, 422, 429, 422 if hosts else 429]


def test_a_terminal_gone_mad_is_slowed_down_and_the_others_are_not(counter, settings):
    from marketplace.api import limits

    settings.API_TERMINAL_AT_ONCE, settings.API_TERMINAL_EACH_SECOND = 5.0, 0.01
    limits.TERMINALS.forget()
    answers = [counter.redeem(f"k{n}", service="NONE") for n in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 1
    assert Counter(ground.terminal()).redeem("k1", "WANG").status_code == 201
    limits.TERMINALS.forget()


def test_nothing_that_the_story_did_broke_the_ledger(counter):
    number = counter.redeem("k1").json()["number"]
    counter.redeem("k2", "ZHANG", service="HOUR")
    counter.post(f"redemptions/{number}/reversal", {"reason": "x"})
    assert [one.name for one in prove() if one.violations] == []


@pytest.mark.error_logs("marketplace.api", "django.request")
def test_our_own_mistakes_are_problems_too(counter, monkeypatch):
    from marketplace.api import redemptions

    def broken(**_given):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(redemptions, "serve", broken)
    answer = counter.redeem("k1")
    assert refusal(answer) == (500, "server_error")
    assert b"secret" not in answer.content


@pytest.mark.error_logs("marketplace.api", "django.request")
def test_a_database_that_is_away_is_said(counter, monkeypatch):
    from django.db import OperationalError

    from marketplace.api import redemptions

    def lost(**_given):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(redemptions, "serve", lost)
    answer = counter.redeem("k1")
    assert refusal(answer) == (503, "unavailable")
    assert answer.headers["Retry-After"]
