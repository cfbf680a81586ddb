"""An elder's own pages: vouchers, code, PIN, what was received. Told of Grandma Li (tests/web/family.py)."""

import gzip
import json
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ledger.models import Record
from tests import story
from tests.web import family
from vouchers.codes.operations import elder_token, identify, set_pin
from vouchers.codes.refusals import CannotIdentify
from vouchers.codes.shares import share_record
from vouchers.models import Redemption, Voucher
from vouchers.redemption.queries import received
from vouchers.wallets.queries import in_hand, spendable

TODAY = family.NOW.date()
PIN = family.PIN


@pytest.fixture
def li(db):
    family.tell()
    with family.at():
        yield story.elder_named("LI")


def text_of(response) -> str:
    assert response.status_code == 200
    text = re.sub(r"<script.*?</script>|<[^>]+>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", text)


def test_what_is_left_is_what_the_vouchers_hold(li):
    """PA: 50 less 24 eaten less 12 ordered; PB: 100 less 50; PD: 200, what was wrong given back."""
    tickets = in_hand(elder=li, today=TODAY)
    told = [(one.programme.code, one.valid_from.month, one.left, one.held) for one in tickets]
    assert told == [
        ("PA", 1, Decimal(14), Decimal(12)),
        ("PA", 2, Decimal(50), Decimal(0)),
        ("PB", 1, Decimal(50), Decimal(0)),
        ("PD", 1, Decimal(200), Decimal(0)),
    ]
    assert spendable(tickets, TODAY) == Decimal(264)
    today = Voucher.objects.filter(elder=li, valid_from__lte=TODAY, valid_until__gte=TODAY)
    assert today.aggregate(Sum("remaining"))["remaining__sum"] == Decimal(264)
    assert [one.ends_soon(TODAY) for one in tickets] == [True, False, False, False]
    assert [one.begins_later(TODAY) for one in tickets] == [False, True, False, False]


def test_her_home_says_what_is_left_and_what_ends_soon(li):
    text = text_of(family.client().get("/my/"))
    assert "李奶奶，早上好" in text and "1月29日 星期四" in text
    assert "消费券还有 264 元" in text
    assert "其中 14 元 用到 1月31日 星期六 为止" in text
    english = text_of(family.client("en").get("/my/"))
    assert "Good morning, 李*" in english and "Left in your vouchers 264 yuan" in english


def test_her_wallet_shows_every_voucher_what_ends_first_first(li):
    text = text_of(family.client().get("/my/wallet/"))
    places = [
        text.index(part) for part in ("14 元 PA 券 快到期", "50 元 PA 券", "50 元 PB 券", "200 元 PD 券")
    ]
    assert places == sorted(places)
    assert "另有 12 元 已为您点的单留着" in text
    assert "2月1日 星期日 起可以用" in text
    assert "PM01 旧址" in text and "全市都可以用" in text


def test_where_it_went_is_hers_alone_the_latest_first(li):
    text = text_of(family.client().get("/my/spent/"))
    assert text.index("1月13日") < text.index("1月12日") < text.index("1月5日")
    assert "MEAL × 2 PM01 旧址 消费券付 24 元 自己付 0 元" in text
    assert "PM02 旧址 消费券付 0 元 自己付 12 元" in text
    assert "已于 1月14日 星期三 退回" in text
    assert "1月15日" not in text
    assert "1月15日" in text_of(family.client(elder="WANG").get("/my/spent/"))  # control


def test_the_happy_list_adds_up_to_what_was_redeemed(li):
    kinds = received(elder=li, year=2026)
    assert [(kind.category, kind.total.quantity) for kind in kinds] == [("canteen", 3), ("home_care", 1)]
    counted = Redemption.objects.filter(elder=li, reversed_on=None)
    for part in ("list_price", "government", "concession", "charity", "vouchers", "self_pay"):
        assert sum(getattr(kind.total, part) for kind in kinds) == counted.aggregate(sum=Sum(part))["sum"]
    text = text_of(family.client().get("/my/record/"))
    assert "李奶奶的2026年幸福清单" in text
    assert "服务总值 120 元 政府补 12 元 企业让 19 元 慈善捐 3 元 消费券付 74 元 自己付 12 元" in text
    assert "3 餐" in text and "1 小时" in text
    assert family.client().get("/my/record/2025/").status_code == 404
    assert family.client().get("/my/record/2026/").status_code == 200


def test_her_code_is_the_one_that_counters_take_now_and_for_an_hour(li):
    page = family.client().get("/my/code/")
    ahead = json.loads(re.search(r'id="ahead"[^>]*>(.*?)</script>', page.content.decode())[1])
    assert len(ahead["tokens"]) == 121 and ahead["tokens"][0] == elder_token(elder=li, at=family.NOW)
    for n in (0, 1, 120):
        shown_at = family.NOW + timedelta(seconds=30 * n)
        assert identify(credential={"token": ahead["tokens"][n]}, terminal_key="T", at=shown_at) == "LI"
    assert page.headers["Cache-Control"] == "private, no-store"


def test_she_sets_her_pin_and_it_works(li):
    client = family.client()
    page = client.get("/my/code/")
    assert "您还没有设" in text_of(page)
    done = client.post("/my/pin/", {"pin": "４８ 02 13", "again": "480213"}, follow=True)
    assert "密码已设好" in text_of(done) and "密码设于 2026年1月29日" in text_of(done)
    assert identify(credential={"code": "LI", "pin": "480213"}, terminal_key="T", at=family.NOW) == "LI"


@pytest.mark.parametrize(
    ("pin", "again", "sentence"),
    [
        ("", "", "请输入 6 位数字"),
        ("12345", "12345", "密码是 6 位数字"),
        ("480213", "480231", "和上面的数字不一样"),
        ("123456", "123456", "太容易被猜到"),
        ("460305", "460305", "太容易被猜到"),
    ],
)
def test_a_pin_that_will_not_do_is_refused_in_words(li, pin, again, sentence):
    set_pin(elder=li, pin="731902", by=story.BY, at=family.NOW)
    page = family.client().post("/my/pin/", {"pin": pin, "again": again})
    text = text_of(page)
    assert text.count(sentence) == 2  # in the summary and at the field
    assert not re.findall(r'id="id_(?:pin|again)"[^>]*value|value="\d{5,6}"', page.content.decode())
    with pytest.raises(CannotIdentify):
        identify(credential={"code": "LI", "pin": pin}, terminal_key="T", at=family.NOW)
    assert identify(credential={"code": "LI", "pin": "731902"}, terminal_key="T", at=family.NOW) == "LI"


def test_who_acts_for_nobody_finds_nothing(li):
    for url in family.pages().values():
        answer = family.client(elder="").get(url)
        assert (answer.status_code, answer.url.split("?")[0]) == (302, "/my/start/")
        assert family.client().get(url).status_code == 200  # control
    assert family.client(elder="").post("/my/pin/", {"pin": PIN, "again": PIN}).status_code == 404


def test_a_daughter_sees_what_is_left_but_neither_code_nor_pin(li):
    daughter = family.client(elder="", acts_for="LI")
    for name, url in family.pages().items():
        answer = daughter.get(url)
        if name in ("code", "pin", "share"):
            assert answer.status_code == 404, name
        else:
            text = answer.content.decode()
            assert "正在替" in text and "李桂兰" in text, name
            assert 'href="/my/code/"' not in text and 'href="/my/pin/"' not in text and "/share/" not in text
    assert daughter.post("/my/pin/", {"pin": PIN, "again": PIN}).status_code == 404
    assert daughter.post("/my/record/2026/share/").status_code == 404


# 幸福码


def test_family_opens_the_list_only_while_she_agrees(li):
    grandma, son = family.client(), Client(headers={"accept-language": "zh-hans"})
    assert "愿意让家人看这份清单吗" in text_of(grandma.get("/my/record/2026/share/"))
    page = grandma.post("/my/record/2026/share/", follow=True)
    path = re.search(r"http://testserver(/happy/[\w-]+/)", page.content.decode())[1]
    assert "还没有人打开过" in text_of(page)

    door = text_of(son.get(path))
    assert "李*" in door and "元" not in door  # nothing yet: opening is an act
    shown = text_of(son.post(path))
    assert "服务总值 120 元" in shown and "老人自己付 12 元" in shown
    for secret in (li.name, li.code, li.id_number(), li.phone()):
        assert secret not in shown
    assert "已打开 1 次" in text_of(grandma.get("/my/record/2026/share/"))
    assert list(Record.objects.filter(subject="LI", action__contains="record").values_list("action", "by")) == [
        ("share_record", "p-LI"), ("open_record", "family"),
    ]  # fmt: skip

    assert "已关闭" in text_of(grandma.post("/my/record/2026/share/end/", follow=True))
    for answer in (son.get(path), son.post(path)):
        assert answer.status_code == 404 and "已关闭" in answer.content.decode()
        assert "元" not in answer.content.decode()


def test_a_happy_code_lasts_a_day_and_a_new_one_ends_it(li):
    first = share_record(elder=li, year=2026, by="p-LI", at=family.NOW)
    path = f"/happy/{first.code}/"
    for hours, status in ((23, 200), (24, 404)):
        with family.at(family.NOW + timedelta(hours=hours)):
            assert Client().get(path).status_code == status
    share_record(elder=li, year=2026, by="p-LI", at=family.NOW)
    assert Client().post(path).status_code == 404
    assert Client().get("/happy/nonsense/").status_code == 404


def test_text_grows_and_stays_so(li):
    client = family.client()
    assert 'class="family"' in client.get("/my/").content.decode()
    answer = client.post("/my/text-size/", {"size": "large", "next": "/my/wallet/"})
    assert answer.url == "/my/wallet/"
    assert 'class="family large"' in client.get("/my/wallet/").content.decode()
    client.post("/my/text-size/", {"size": "usual", "next": "/my/"})
    assert 'class="family"' in client.get("/my/").content.decode()
    assert client.post("/my/text-size/", {"size": "large", "next": "https://else.where/"}).url == "/"


def test_an_empty_wallet_is_a_page_too(li):
    story.elder("NEW", "新来福", "1950-05-05", li.division)
    texts = {name: text_of(family.client(elder="NEW").get(url)) for name, url in family.pages().items()}
    assert "现在没有消费券" in texts["wallet"] and "消费券还有 0 元" in texts["home"]
    assert "还没有花过" in texts["spent"] and "今年还没有服务记录" in texts["record"]


def test_every_page_is_light_and_asks_little(li):
    """experience.md 10: 150 KB compressed with all that it fetches; and at most 25 queries."""
    client = family.client()
    for name, url in family.pages().items():
        client.get(url)
        with CaptureQueriesContext(connection) as asked:
            page = client.get(url).content
        assert len(asked) <= 12, name
        files = set(re.findall(r'(?:src|href)="/static/([^"#]+)', page.decode()))
        if name == "code":
            files.add("js/qr.js")  # imported
        weights = [len(gzip.compress(page))]
        for file in files:
            path = Path(settings.BASE_DIR) / "marketplace" / "static" / file
            weights.append(len(gzip.compress(path.read_bytes())))
        assert len(weights) > 8 and sum(weights) < 150_000, (name, sum(weights))


def test_a_long_history_asks_no_more(li):
    def count() -> dict[str, int]:
        found = {}
        for name, url in family.pages().items():
            with CaptureQueriesContext(connection) as asked:
                family_client.get(url)
            found[name] = len(asked)
        return found

    family_client = family.client()
    count()
    before = count()
    for day in range(15, 29):
        story.redeem(f"more {day}", "LI", "MEAL", "PM03", f"2026-01-{day} 11:30")
    assert count() == before


def test_pages_keep_the_rules_of_all_pages(li):
    english = re.compile(r"\b[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}\b")
    for name, url in family.pages().items():
        for language, lang in (("zh-hans", "zh-Hans"), ("en", "en")):
            response = family.client(language).get(url)
            text = response.content.decode()
            assert f'<html lang="{lang}"' in text, name
            assert text.rstrip().endswith("</footer>\n</body>\n</html>") and 'href="tel:12349"' in text, name
            assert 'name="language" value="en"' in text and 'href="#main"' in text, name
            assert len(re.findall(r"<h1[ >]", text)) == 1, name
            assert re.findall(r'\sstyle="|\son\w+="', text) == [], name
            assert re.findall(r"<script(?![^>]*(?:src=|application/json))", text) == [], name
            assert re.findall(r'(?:src|href|action)="(?:https?:)?//', text) == [], name
            if lang != "en":
                assert english.findall(text_of(response)) == [], name


def test_every_pictogram_that_is_used_is_drawn():
    root = Path(settings.BASE_DIR) / "marketplace"
    drawn = set(re.findall(r'symbol id="(\w+)"', (root / "static/img/pictograms.svg").read_text()))
    used = set()
    for path in (root / "templates").rglob("*.html"):
        used |= set(re.findall(r'\{% pictogram "(\w+)"', path.read_text()))
    from marketplace.web.family.record import PICTOGRAMS

    assert used | set(PICTOGRAMS.values()) <= drawn
