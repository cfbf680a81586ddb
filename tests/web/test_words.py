"""Amounts and dates read the same everywhere; every word is translated; icons exist; pages are our own bytes."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils import translation

from marketplace.templatetags import yiquan
from tests.web import messages

ROOT = Path(settings.BASE_DIR)
PO = ROOT / "marketplace/locale/zh_Hans/LC_MESSAGES/django.po"


@pytest.mark.parametrize(
    ("amount", "table", "zh", "en"),
    [
        ("15", "15.00", "15 元", "15 yuan"),
        ("15.50", "15.50", "15.50 元", "15.50 yuan"),
        ("5333.5", "5,333.50", "5,333.50 元", "5,333.50 yuan"),
        ("-120", "−120.00", "−120 元", "−120 yuan"),
    ],
)
def test_amounts(amount, table, zh, en):
    assert yiquan.money(Decimal(amount)) == table
    with translation.override("zh-hans"):
        assert yiquan.yuan(Decimal(amount)) == zh
    with translation.override("en"):
        assert yiquan.yuan(Decimal(amount)) == en


def test_dates_carry_their_weekday():
    day, noon = date(2026, 8, 23), datetime(2026, 8, 23, 4, 4, tzinfo=UTC)
    with translation.override("zh-hans"):
        assert yiquan.day(day) == "8月23日 星期日"
        assert yiquan.full_day(day) == "2026年8月23日 星期日"
        assert yiquan.moment(noon) == "2026年8月23日 星期日 12:04"
        assert yiquan.month_name(day) == "2026年8月"
    with translation.override("en"):
        assert yiquan.day(day) == "Sunday, 23 August"
        assert yiquan.moment(noon) == "Sunday, 23 August 2026, 12:04"


def test_late_evening_in_shanghai_is_still_that_day():
    with translation.override("en"):
        assert yiquan.full_day(datetime(2026, 8, 23, 15, 59, tzinfo=UTC)) == "Sunday, 23 August 2026"
        assert yiquan.full_day(datetime(2026, 8, 23, 16, 0, tzinfo=UTC)) == "Monday, 24 August 2026"


@pytest.mark.parametrize(
    ("share", "text"), [("0.8", "80%"), ("0.3330", "33.3%"), ("1", "100%"), ("0", "0%"), ("0.125", "12.5%")]
)
def test_shares(share, text):
    assert yiquan.percent(Decimal(share)) == text


def test_products_keep_what_they_have():
    assert [yiquan.exact(Decimal(x)) for x in ("6.4000", "6.405", "-6.4", "0.00")] == [
        "6.40",
        "6.405",
        "−6.40",
        "0.00",
    ]


def test_every_message_is_translated():
    known = {(entry.msgctxt, entry.msgid): entry for entry in polib.pofile(str(PO))}
    wanted = messages.of_project()
    assert len(wanted) > 300  # control: the search finds messages
    assert [key for key in wanted if key not in known] == []
    empty = [
        e.msgid for e in known.values() if not (e.msgstr or e.msgstr_plural.get(0)) or "fuzzy" in e.flags
    ]
    assert empty == []
    assert [key for key in known if key not in wanted] == []  # nothing idle is kept


def test_placeholders_survive_translation():
    places = re.compile(r"%\(\w+\)s")
    for entry in polib.pofile(str(PO)):
        text = entry.msgstr or entry.msgstr_plural[0]
        assert set(places.findall(text)) <= set(places.findall(entry.msgid + entry.msgid_plural)), entry.msgid
        assert set(places.findall(entry.msgid_plural or entry.msgid)) == set(places.findall(text)), (
            entry.msgid
        )


def test_the_search_for_messages_sees_both_kinds(tmp_path):
    """Control: a message in code, one in a template, one with a context, one in a tag's argument."""
    (tmp_path / "a.py").write_text(
        '_("one")\nngettext("two", "twos", n)\npgettext("c", "three")\n_("fo" "ur")\n'
    )
    (tmp_path / "b.html").write_text(
        '{% load i18n %}{% translate "five" %}{% blocktranslate with x=y trimmed %}\n six {{ x }}\n{% endblocktranslate %}'
        '{% include "x.html" with a=_("seven") %}{% translate "eight" context "c" %}'
    )
    assert messages.of_tree(tmp_path) == {
        (None, "one"), (None, "two"), ("c", "three"), (None, "four"),
        (None, "five"), (None, "six %(x)s"), (None, "seven"), ("c", "eight"),
    }  # fmt: skip


def test_no_english_is_left_on_chinese_pages(read):
    """Words between tags, in Chinese: no run of three English words on any page."""
    english = re.compile(r"\b[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}\b")
    for name, page in read("zh-hans").items():
        text = re.sub(r"<script.*?</script>|<pre.*?</pre>|<[^>]+>", " ", page.text, flags=re.S)
        assert english.findall(text) == [], name
        assert re.findall(r"\{%|\{\{|%\(", text) == [], name


def test_no_chinese_interface_words_are_left_on_english_pages(read):
    """Names and quotes from the books are data and stay Chinese; the words of the interface do not."""
    with translation.override("zh-hans"):
        words = {
            translation.gettext(word)
            for word in ("Rent charged", "Cash due", "Statements", "Filter", "Carried on")
        }
    for name, page in read("en").items():
        text = re.sub(r'<pre class="books".*?</pre>', " ", page.text, flags=re.S)
        assert not [word for word in words if word in text], name


def test_every_icon_that_is_used_is_in_the_sprite():
    listed = re.search(r"const ICONS = `(.*?)`", (ROOT / "marketplace/web/vendor.mjs").read_text(), re.S)
    assert listed
    known = set(listed[1].split())
    used = set()
    for path in (ROOT / "marketplace/templates").rglob("*.html"):
        text = path.read_text()
        used |= set(re.findall(r'\{% icon "([^"]+)"', text)) | set(re.findall(r'mark="([^"]+)"', text))
    for path in (ROOT / "marketplace").rglob("*.py"):
        pairs = r'"(?:wait|due|ok|no)", "([a-z-]+)"(?!:)|"mark": "([a-z-]+)"'
        used |= {name for found in re.findall(pairs, path.read_text()) for name in found if name}
    assert used and used <= known, used - known


def test_pages_are_our_own_bytes_and_carry_no_inline_code(read):
    for name, (text, policy) in read("en").items():
        assert re.findall(r'\sstyle="|\son\w+="', text) == [], name
        assert re.findall(r"<script(?![^>]*(?:src=|application/json))", text) == [], name
        assert re.findall(r'(?:src|href|action)="(?:https?:)?//', text) == [], name
        assert "default-src 'self'" in policy
        if name in ("counter", "visits:visit"):  # compile the reader of their camera
            policy = policy.replace("'wasm-unsafe-eval'", "")
        assert "unsafe" not in policy


def test_help_and_language_stand_on_every_page(read):
    for language, lang in (("zh-hans", "zh-Hans"), ("en", "en")):
        for name, (text, _policy) in read(language).items():
            if name == "sign_in":  # leads on whoever has signed in: "sign_in:nobody" is the page
                continue
            assert f'<html lang="{lang}"' in text, name
            assert text.rstrip().endswith("</footer>\n</body>\n</html>") and 'href="tel:12349"' in text, name
            own = name == "counter"  # switches by itself, for it must without a network too
            assert (own or 'name="language" value="en"' in text) and 'href="#main"' in text, name
            assert len(re.findall(r"<h1[ >]", text)) == 1, name


def test_the_error_page_needs_nothing(client):
    from django.test import RequestFactory
    from django.views.defaults import server_error

    text = server_error(RequestFactory().get("/")).content.decode()
    assert "12349" in text and "我们这边出错了" in text and "on our side" in text
