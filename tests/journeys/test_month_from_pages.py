"""Four people of four roles run a city's month from the pages alone, in a real browser, and get its figures.

The city is that of tests/small_city.py. What a worker does is done by a thread here, with the same handlers.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from ledger.journal.queries import balances, is_locked
from ledger.outbox.operations import settle_debts
from marketplace.accounts.operations import create_user
from marketplace.jobs import operations as jobs
from providers.models import Division, Operator
from tests import small_city
from tests.journeys.conftest import CHROMIUM, FLAGS, PATIENCE, playing, serving
from tests.journeys.test_every_page import faults
from tests.small_city import day
from tests.web.builder import PASSWORD
from vouchers.models import Statement
from vouchers.proof.queries import prove

REDEMPTIONS = """\
key,happened_at,premises,service,elder,quantity,channel
k1,2026-07-02 11:30,PR01,SV01,EL01,1,qr
k2,2026-07-03 11:30,PR01,SV01,EL03,2,pin
k3,2026-07-03 11:45,PR01,SV01,EL04,1,paper
k4,2026-07-03 11:50,PR01,SV01,EL99,1,qr
"""
REVERSALS = "key,reversed_at,reason\nk3,2026-07-04 09:00,登记错了人\n"
BANK = """\
凭证号,本方账号,对方账号,交易时间,借/贷,借方发生额,贷方发生额,对方行号,摘要,用途,对方单位名称,余额,个性化信息
1,98000001,98000002,2026-08-10 09:00:00,贷,,5315.10,,转账,,Canteen One,5315.10,
2,98000001,98000003,2026-08-10 10:00:00,贷,,7.00,,转账,,路人,5322.10,
"""


class Worker(threading.Thread):
    """Does what is owed, as the real one does (marketplace/tasks.py), until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()

    def run(self) -> None:
        handlers = {jobs.TOPIC: lambda payload: jobs.work(payload, clock=timezone.now)}
        while not self.over.wait(0.2):
            settle_debts(handlers=handlers, clock=timezone.now)
        connections.close_all()


@pytest.fixture
def address(fresh_db) -> Iterator[str]:
    """A site on an empty database, with a clerk and an approver."""
    for name, role in (("clerk", "bureau_clerk"), ("approver", "bureau_approver")):
        create_user(username=name, role=role, password=PASSWORD, by="test", at=timezone.now())
    worker = Worker()
    with serving() as address:
        worker.start()
        yield address
        worker.over.set()
        worker.join()


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with playing() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def someone(browser: Browser, address: str) -> Callable[[str], Page]:
    def sign_in(name: str) -> Page:
        context = browser.new_context(base_url=address, locale="zh-CN")
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto("/sign-in/")
        page.fill("#id_username", name)
        page.fill("#id_password", PASSWORD)
        page.click("main button")
        page.wait_for_url(f"{address}/")
        return page

    return sign_in


def run(page: Page, kind: str, *, patience: int = PATIENCE, **fields: str) -> None:
    """Start work of this kind, look at what it would do, let it be done, wait for its result.

    Where it would change nothing there is nothing to let be done; a gap in a bank's balances is taken knowingly.
    """
    page.goto(f"/bureau/work/{kind}/")
    for name, value in fields.items():
        field = page.locator(f"#id_{name}")
        if field.get_attribute("type") == "file":
            field.set_input_files(value.split("|"))
        elif name == "layout":
            field.select_option(value)
        else:
            field.fill(value)
    page.click("main form.card button")
    expect(page).to_have_url(re.compile(r"/jobs/\d+/"))
    if kind != "close":
        expect(page.locator("button[value=drop]")).to_be_visible(timeout=patience)
        page.wait_for_load_state()
        if not page.locator("button[value=go]").count():
            return
        expect(page.locator(".block.warn").first).to_contain_text("已检查")
        if page.locator("#knowing").count():
            page.check("#knowing")
        page.click("button[value=go]")
    expect(page.locator("#job .block.good")).to_be_visible(timeout=patience)
    page.wait_for_load_state()


def tab_to(page: Page, what: str, found: str) -> None:
    """Tab until the element that has the focus is the one: `found` is asked of it, as `it`."""
    page.wait_for_load_state()
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate(f"(it => {found})(document.activeElement)"):
            return
    pytest.fail(f"the keyboard does not reach {what}")


def press(page: Page, words: str) -> None:
    """With the keyboard alone: Tab until what bears these words has the focus, then Enter."""
    found = f"['A', 'BUTTON'].includes(it.tagName) && it.textContent.includes({json.dumps(words)})"
    tab_to(page, words, found)
    page.keyboard.press("Enter")


def close(page: Page, month: str) -> None:
    """Draw up a month, from the first page to the result, without a mouse."""
    page.goto("/")
    for place in ("/bureau/work/", "/bureau/work/close/"):
        tab_to(page, place, f"it.tagName === 'A' && it.pathname === '{place}'")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"{place}$"))
    tab_to(page, "the month", "it.id === 'id_month'")
    year, number = month.split("-")
    page.keyboard.type(number)  # an English browser's field: the month, then the year
    page.keyboard.press("ArrowRight")
    page.keyboard.type(year)
    expect(page.locator("#id_month")).to_have_value(month)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/jobs/\d+/"))
    expect(page.locator("#job .block.good")).to_be_visible()
    assert faults(page) == []


def take_the_step(page: Page, verb: str) -> None:
    """From the first page to the done step, without a mouse."""
    page.goto("/")
    press(page, "待我办理")
    expect(page.locator("h1")).to_contain_text("待我办理")
    assert faults(page) == []
    press(page, "核对所选")
    expect(page.locator("h1")).to_contain_text("办理前核对")
    assert faults(page) == []
    press(page, verb)
    expect(page.locator(".block.good")).to_contain_text("已完成")
    assert faults(page) == []


def test_a_month_from_the_pages_alone(address, chromium, tmp_path: Path):
    sign_in = someone(chromium, address)
    register = small_city.write(tmp_path / "city")
    for name, text in (("redemptions", REDEMPTIONS), ("reversals", REVERSALS), ("bank", BANK)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")

    clerk = sign_in("clerk")
    run(clerk, "city", files="|".join(str(path) for path in sorted(register.iterdir())))
    expect(clerk.locator("tr", has_text="elders.csv").locator("td").first).to_have_text("4")
    run(clerk, "issue", on="2026-07-01")
    expect(clerk.locator("tr", has_text="PG01")).to_contain_text("240.00")
    run(clerk, "redemptions", file=str(tmp_path / "redemptions.csv"))
    expect(clerk.locator("#job")).to_contain_text("unknown_reference")
    with clerk.expect_download() as refused:
        clerk.click("a[download] >> text=CSV")
    assert "unknown_reference" in Path(refused.value.path()).read_text(encoding="utf-8-sig")
    run(clerk, "reversals", file=str(tmp_path / "reversals.csv"))
    run(clerk, "expire", on="2026-08-04")
    close(clerk, "2026-07")

    # The register now knows the operator and the street.
    operator, street = Operator.objects.get(code="OP01"), Division.objects.get(code="430211001")
    create_user(
        username="manager",
        role="operator_manager",
        operator=operator,
        password=PASSWORD,
        by="test",
        at=timezone.now(),
    )
    create_user(
        username="officer",
        role="street_officer",
        division=street,
        password=PASSWORD,
        by="test",
        at=timezone.now(),
    )
    take_the_step(sign_in("manager"), "确认所选")
    take_the_step(sign_in("officer"), "复核通过所选")
    approver = sign_in("approver")
    take_the_step(approver, "批准所选并入账")
    expect(approver.locator(".block.good")).to_contain_text("锁定")

    # 7 + 2 x 8 yuan of vouchers at 0.8, within the cap of 5,333.50 x 0.333.
    statement = Statement.objects.get()
    assert (statement.earned, statement.credit, statement.cap) == tuple(
        map(Decimal, ("23.00", "18.40", "1776.06"))
    )
    assert (statement.applied, statement.cash_due) == (Decimal("18.40"), Decimal("5315.10"))
    assert is_locked(day("2026-07-01"))

    run(clerk, "bank", layout="icbc", file=str(tmp_path / "bank.csv"))
    clerk.click("#job a >> text=银行流水")
    clerk.locator("tr", has_text="Canteen One").locator("a").first.click()
    clerk.click("button[value=confirm]")
    expect(clerk.locator(".block.good")).to_contain_text("已确认")
    clerk.goto("/bureau/receipts/")
    clerk.locator("tr", has_text="路人").locator("a").first.click()
    clerk.fill("#id_lease_0", "LS01")
    clerk.click("button[value=match]")
    expect(clerk.locator(".block.good")).to_contain_text("已认领")
    clerk.fill("#id_reason", "不是房租，退回")
    clerk.click("button[value=release]")
    expect(clerk.locator(".block.good")).to_contain_text("已撤销认领")
    clerk.goto("/bureau/arrears/")
    expect(clerk.locator("main")).to_contain_text("没有欠缴租金")
    now = balances()
    assert "Assets:Receivable:Rent:LS01" not in now and now["Liabilities:Suspense:Receipts"] == -7
    assert now["Liabilities:Payable:OP01"] == Decimal("-14.00")  # 4 + 2, and 2 x (2 + 2)
    assert [one.name for one in prove() if one.violations] == []
