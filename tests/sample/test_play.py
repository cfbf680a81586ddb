"""A small town played through the program itself: what it answers is what the reckoning and the plan say."""

import io
import json
import logging
import re
import stat
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from urllib.parse import quote, unquote

import openpyxl
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ledger.audit.operations import record
from ledger.banking.neighbours import accounts
from ledger.models import BankLine
from marketplace.accounts.models import User
from marketplace.fulfilment.models import StandingOrder, WorkOrder
from marketplace.management import base
from marketplace.management.commands import sample_city
from marketplace.offerings.models import Supply
from marketplace.sample.dates import Calendar, add_months, label
from marketplace.sample.generate import CHANGED, CONFIRMED, REVIEWED, generate
from marketplace.sample.player import SEED, Player, Progress, database_is_empty
from marketplace.sample.terms import OFFERED_BESIDES
from providers.models import Offer, OpeningHours, Reminder, Shift
from providers.reminders.operations import drafts
from tests import databases
from tests.strength.traces import People, crawl, in_files, in_tables
from vouchers.delegates.queries import delegations, own_records
from vouchers.funds.operations import fund_balance
from vouchers.models import Elder, Payout, Project, Redemption, Statement

from .reading import reckoned, rows

ELDERS = 150
FIGURES = Statement.FIGURES


class Interrupted(Exception):
    pass


def player(tmp_path, tell):
    return Player(folder=tmp_path / "sample", passwords=tmp_path / "demo-users.json", by="test", tell=tell)


class Town:
    """The sample city as of a day in a database of its own, played when it is first asked for, with an interruption."""

    def __init__(self, today: date, database: str, folder: Path) -> None:
        self.today, self.database, self.folder = today, database, folder
        self.torn = f"redemptions-{label(Calendar(today).month(-2))}-a.csv"
        self.told: list[str] = []
        self.logs_before: dict[Path, int] = {}

    @cached_property
    def progress(self) -> Progress:
        self.logs_before = {path: path.stat().st_size for path in logs()}
        assert database_is_empty()
        with pytest.raises(Interrupted):
            player(self.folder, self._interrupt).play(today=self.today, elders=ELDERS)
        # The play had noted this step; as after a crash just before that, it is done again.
        state = self.folder / "sample" / "state.json"
        kept = json.loads(state.read_text())
        state.write_text(json.dumps({**kept, "done": kept["done"] - 1}))
        passwords = (self.folder / "demo-users.json").read_text()
        progress = player(self.folder, self.told.append).play(today=date(2030, 1, 1), elders=9)
        assert (self.folder / "demo-users.json").read_text() == passwords
        return progress

    def _interrupt(self, line: str) -> None:
        self.told.append(line)
        if self.torn in line:
            raise Interrupted


@pytest.fixture(scope="module")
def town(request, database_template, django_db_blocker, tmp_path_factory) -> Iterator[Town]:
    name = databases.clone(database_template)
    with django_db_blocker.unblock(), databases.pointed_at(name):
        yield Town(request.param, name, tmp_path_factory.mktemp("town"))
    databases.drop(name)


# A day like others, and a first of a month after a leap day: nothing has happened in the month yet.
USUAL = date(2026, 11, 22)


@pytest.mark.parametrize("town", [USUAL, date(2024, 3, 1)], indirect=True, ids=str)
def test_the_program_makes_of_the_town_what_the_reckoning_makes_of_it(town):
    today, tmp_path = town.today, town.folder
    assert town.progress == Progress(str(today), ELDERS, True, len(told_steps(tmp_path)), True)
    passwords = (tmp_path / "demo-users.json").read_text()
    told, torn = town.told, town.torn

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
    assert paid and all(one.state == "approved" and one.left == 0 for one in paid)
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


# What of a person may stand where, after all that. Each of these is met below: a list that is not met is no list.
IN_TABLES = {
    "vouchers_elder.name": {"name"},
    "vouchers_namekey.name": {"name"},
    "vouchers_namekey.key": {"name"},
}
# Full names, read by whom they are told: a daughter chooses for whom she acts, a caregiver rings at a door.
ON_PAGES = {"people:whom", "people:leave", "office:rounds"}


@pytest.mark.error_logs("tests.sample")
@pytest.mark.parametrize("town", [USUAL], indirect=True, ids=str)
def test_nobody_stands_where_nobody_may_look(town, tmp_path):
    """After the whole play, calls and searches from pages, refused rows, exports: tables, files, pages, addresses."""
    assert town.progress.finished
    people = People(Elder.objects.all())
    assert min(people.counted.values()) > ELDERS / 2 and len(people.counted) == 3
    clients = signed_in()
    served = Redemption.objects.filter(elder__died_on=None, elder__phone_sealed__isnull=False).earliest("id")
    act(clients, served)
    starts = {"hotline": reverse("hotline:elder", args=[served.elder.code])}
    views, named, rung = set(), set(), False
    for seen in crawl(clients, starts):
        assert seen.status in (200, 302, 404), seen[:4]
        kinds = people.kinds_in(seen.body)
        assert kinds <= {"name"}, (seen[:3], kinds)
        addresses = unquote("\n".join([seen.url, *seen.links]))
        assert not people.kinds_in(addresses.encode()), seen[:3]
        views.add(seen.view)
        if seen.person == "hotline":  # asks by name, and the bar says on each page for whom one acts
            rung = rung or bool(kinds)
        elif kinds:
            named.add(seen.view)
    assert len(views) > 90
    assert rung and named and named <= ON_PAGES, named

    refused_by_the_database(served.elder)
    month = f"{add_months(USUAL.replace(day=1), -3):%Y-%m}"
    call_command("export_books", str(tmp_path / "books"), stdout=io.StringIO())
    call_command("evidence_pack", month, "--into", str(tmp_path / "pack"), stdout=io.StringIO())
    assert in_tables(town.database, people) == IN_TABLES
    assert in_files(tmp_path.rglob("*"), people) == {}
    assert in_files(logs(), people, since=town.logs_before) == {}
    assert any(path.stat().st_size > town.logs_before.get(path, 0) for path in logs()), "something was logged"

    # The controls: planted, each is found.
    name, phone = served.elder.name, served.elder.phone()
    record(by="test", at=timezone.now(), action="planted", subject="x", detail={"who": [name]})
    assert in_tables(town.database, people) == IN_TABLES | {"ledger_record.detail": {"name"}}
    (tmp_path / "a.log").write_text(f"asked for {phone}\n")
    workbook = openpyxl.Workbook()
    workbook.active.append([name])
    workbook.save(tmp_path / "a.xlsx")
    assert in_files(tmp_path.rglob("*"), people) == {"a.log": {"phone"}, "a.xlsx": {"name"}}
    assert people.kinds_in(f"/x/?q={quote(name)}".encode()) == {"name"}


def logs() -> list[Path]:
    """What the site, PostgreSQL and Valkey write for whoever runs them."""
    return [*(settings.DATA_DIR / "logs").glob("*"), *settings.DATA_DIR.glob("*/log")]


def signed_in() -> dict[str, Client]:
    """Everybody of the town, who sees least of a page's people last."""
    users = sorted(User.objects.filter(is_active=True), key=lambda one: (one.role != "", one.username))
    clients = {}
    for user in users:
        clients[user.username] = Client(headers={"accept-language": "zh-hans"})
        clients[user.username].force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return clients


def act(clients: dict[str, Client], served: Redemption) -> None:
    """What brings a name or a number through pages: a search, a call, a paper code, a name revealed."""
    agent, elder = clients["hotline"], served.elder
    agent.post(reverse("hotline:search"), {"q": elder.name})
    agent.post(reverse("hotline:start", args=[elder.code]))
    assert elder.phone() in agent.post(reverse("hotline:number")).content.decode()
    agent.post(reverse("hotline:rang_back"))
    assert clients["clerk"].post(reverse("hotline:paper", args=[elder.code])).status_code == 200
    shown = clients["clerk"].post(reverse("reveal", args=[served.number]), {"reason": "家属来电核对"})
    assert elder.name in shown.content.decode()


def refused_by_the_database(elder: Elder) -> None:
    """PostgreSQL answers with the whole row, which neither its own log nor the site's may keep."""
    try:
        with transaction.atomic():
            Elder.objects.filter(pk=elder.pk).update(ability_level=9)
    except IntegrityError as refusal:
        assert elder.name in str(refusal)
        logging.getLogger("tests.sample").exception("refused")


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
    with pytest.raises(base.Refused, match="今天为止"):
        call_command("sample_city", today=timezone.localdate() + timedelta(days=1))
    User.objects.create(username="somebody", role="auditor")
    with pytest.raises(base.Refused) as refusal:
        call_command("sample_city")
    assert "DATABASE_URL" not in str(refusal.value)
    assert not (tmp_path / "sample").exists()
