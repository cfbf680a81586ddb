"""A small town played through the program itself: what it answers is what the reckoning and the plan say."""

import json
import re
import stat
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from ledger.banking.neighbours import accounts
from ledger.models import BankLine
from marketplace.accounts.models import User
from marketplace.fulfilment.models import StandingOrder, WorkOrder
from marketplace.management import base
from marketplace.management.commands import sample_city
from marketplace.offerings.models import Supply
from marketplace.sample.dates import Calendar, label
from marketplace.sample.generate import CHANGED, CONFIRMED, REVIEWED, generate
from marketplace.sample.player import SEED, Player, Progress, database_is_empty
from marketplace.sample.terms import OFFERED_BESIDES
from providers.models import Offer, OpeningHours, Reminder, Shift
from providers.reminders.operations import drafts
from vouchers.delegates.queries import delegations, own_records
from vouchers.funds.operations import fund_balance
from vouchers.models import Payout, Project, Redemption, Statement

from .reading import reckoned, rows

ELDERS = 150
FIGURES = Statement.FIGURES


class Interrupted(Exception):
    pass


def player(tmp_path, tell):
    return Player(folder=tmp_path / "sample", passwords=tmp_path / "demo-users.json", by="test", tell=tell)


# A day like others, and a first of a month after a leap day: nothing has happened in the month yet.
@pytest.mark.parametrize("today", [date(2026, 11, 22), date(2028, 3, 1)], ids=str)
def test_the_program_makes_of_the_town_what_the_reckoning_makes_of_it(fresh_db, tmp_path, today):
    told = []
    torn = f"redemptions-{label(Calendar(today).month(-2))}-a.csv"

    def interrupt(line):
        told.append(line)
        if torn in line:
            raise Interrupted

    assert database_is_empty()
    with pytest.raises(Interrupted):
        player(tmp_path, interrupt).play(today=today, elders=ELDERS)
    # The play had noted this step; as after a crash just before that, it is done again.
    state = tmp_path / "sample" / "state.json"
    kept = json.loads(state.read_text())
    state.write_text(json.dumps({**kept, "done": kept["done"] - 1}))
    passwords = (tmp_path / "demo-users.json").read_text()
    progress = player(tmp_path, told.append).play(today=date(2030, 1, 1), elders=9)
    assert progress == Progress(str(today), ELDERS, True, len(told_steps(tmp_path)), True)
    assert (tmp_path / "demo-users.json").read_text() == passwords

    plan = generate(today=today, into=tmp_path / "again", seed=SEED, elders=ELDERS)
    answers = dict(re.findall(r"import_\w+ (\S+csv) .*(accepted .*)", "\n".join(told)))
    assert set(answers) == set(plan.tallies)
    repeated = [line for line in told if torn in line]
    assert len(repeated) == 2 and "accepted 0, " in repeated[1], "the interrupted step took nothing twice"
    answers[torn] = re.search("accepted.*", repeated[0])[0]
    for file, counts in plan.tallies.items():
        assert answers[file] == ", ".join(f"{k} {counts[k]}" for k in ("accepted", "repeated", "refused"))

    played = reckoned(plan, tmp_path / "again")
    for month in plan.calendar.months[:2]:
        drawn = played.city.drawn[label(month)]
        found = {s.lease.code: s for s in Statement.objects.filter(month=month).select_related("lease")}
        assert set(found) == set(drawn)
        for lease, expected in drawn.items():
            assert found[lease].state == Statement.State.APPROVED
            for figure in (*FIGURES, "redemptions", "under_review"):
                assert getattr(found[lease], figure) == Decimal(getattr(expected, figure)), (lease, figure)

    third = {s.lease.code: s for s in Statement.objects.filter(month=plan.calendar.month(-1))}
    waiting = {code: s.state for code, s in third.items()}
    assert {code for code, state in waiting.items() if state == "confirmed"} == set(CONFIRMED)
    assert {code for code, state in waiting.items() if state == "reviewed"} == set(REVIEWED)
    assert CHANGED in CONFIRMED and "approved" not in waiting.values()
    ordered = Counter(WorkOrder.objects.values_list("state", flat=True))
    assert Redemption.objects.count() == ordered["done"] + sum(
        counts["accepted"] for file, counts in plan.tallies.items() if file.startswith("redemptions")
    )
    assert ordered["placed"] >= 8 and ordered["cancelled"] and ordered["missed"], ordered
    assert ordered["done"] or today.day == 1, "nothing is delivered in a month that is drawn up"
    listed, projects = (
        Supply.objects.filter(listed=True),
        {code for of in OFFERED_BESIDES.values() for code in of},
    )
    assert (
        listed.exclude(offer__service__code__in=projects).count()
        == Offer.objects.filter(order_terms__isnull=False).count()
    )
    paid, current = (Payout.objects.filter(month=plan.calendar.month(n)) for n in (-3, -2))
    assert paid and all(one.state == "approved" and (one.receipt or not one.to_pay) for one in paid)
    assert {"approved", "reviewed", "confirmed", "draft"} == {one.state for one in current}
    assert fund_balance() >= 0
    letters = Reminder.objects.all()
    assert letters and {one.grade for one in letters} == {1}
    assert {one.grade for one in drafts(today) if not one.term_runs} >= {2}, (
        "a second letter can be looked at"
    )
    assert not any(one.breaks for one in accounts(BankLine.objects.all()))
    visits = WorkOrder.objects.filter(caregiver__user__username="caregiver", state="assigned")
    days = {timezone.localdate(one.starts_at) for one in visits}
    assert {today, today + timedelta(days=1)} <= days, "the demo caregiver has somewhere to go"
    homes = dict(Project.objects.values_list("state", "operator__code"))
    assert homes == {"planned": "OP05", "done": "OP05"}
    assert {one.user.phone() for one in StandingOrder.objects.all()} <= {"19911110001", own_phone(tmp_path)}
    assert StandingOrder.objects.exists() and OpeningHours.objects.exists() and Shift.objects.exists()

    call_command("verify_ledger")
    people = json.loads(passwords)
    assert stat.S_IMODE((tmp_path / "demo-users.json").stat().st_mode) == 0o600
    assert {row["role"] for row in people} == set(
        User.objects.exclude(role="").values_list("role", flat=True)
    )
    families = json.loads((tmp_path / "demo-families.json").read_text())
    assert [row["role"] for row in families] == ["elder", "daughter", "son"]
    by_phone = {user.phone(): user for user in User.objects.filter(role="")}
    assert set(by_phone) == {row["phone"] for row in families}
    (own,) = own_records(by_phone[families[0]["phone"]])
    assert any(voucher.remaining + voucher.held > 0 for voucher in own.elder.vouchers.filter(expired_on=None))
    assert len(delegations(by_phone[families[1]["phone"]], timezone.now())) == 2
    for row in people:
        assert User.objects.get(username=row["username"]).check_password(row["password"])
    assert not User.objects.get(username="clerk").check_password("jade-jade-jade-1000")
    lines = [row for path in (tmp_path / "sample").glob("bank-*.csv") for row in rows(path)]
    assert lines and max(row["交易时间"][:10] for row in lines) < str(today)


def own_phone(tmp_path):
    return json.loads((tmp_path / "demo-families.json").read_text())[0]["phone"]


def told_steps(tmp_path):
    return (tmp_path / "sample" / "steps.txt").read_text().splitlines()


def test_it_is_made_in_an_empty_embedded_database_only(fresh_db, tmp_path, settings, monkeypatch):
    monkeypatch.setattr(sample_city, "sample_folder", lambda: tmp_path / "sample")
    settings.EMBEDDED = False
    with pytest.raises(base.Refused, match="DATABASE_URL"):
        call_command("sample_city")
    settings.EMBEDDED = True
    User.objects.create(username="somebody", role="auditor")
    with pytest.raises(base.Refused) as refusal:
        call_command("sample_city")
    assert "DATABASE_URL" not in str(refusal.value)
    assert not (tmp_path / "sample").exists()
